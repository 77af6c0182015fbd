package mirror

import (
	"errors"
	"io/fs"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

var _ download.Source = (*sharedDownload)(nil)

// Open opens the file on the remote.
func (a *sharedDownload) Open() (afero.File, error) {
	m, from := a.m, a.From()
	if from == "" {
		return nil, download.ErrSuperseded
	}
	if err := a.awaitEarlier(); err != nil {
		return nil, err
	}
	f, err := a.around.Open(m.remote, from, a.known)
	if errors.Is(err, fs.ErrNotExist) && m.elsewhere(a.node, from) {
		return nil, download.ErrSuperseded
	}
	return f, err
}

// elsewhere says whether a node is not where it was on the remote: it was replaced or renamed meanwhile.
func (m *FS) elsewhere(n *tree.Node, path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tree.Node(n.ID) != n || n.HasBase() && n.RemotePath() != path
}

// Reopen opens the file where the remote has it by now.
func (a *sharedDownload) Reopen() (afero.File, error) {
	m := a.m
	m.mu.Lock()
	from, around := a.node.RemotePath(), detour.Of(m.tree)
	m.mu.Unlock()
	if from == "" {
		return nil, fs.ErrNotExist
	}
	return around.OpenAny(m.remote, from)
}

// Expect tells the remote how much will be asked for.
func (a *sharedDownload) Expect(bytes int64) { a.m.limits.ExpectBytes(bytes) }
