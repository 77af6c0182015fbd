package copies

import (
	"io/fs"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

var _ download.Source = (*shared)(nil)

// Open opens the file on the remote.
func (a *shared) Open() (afero.File, error) {
	set, from := a.set, a.From()
	if from == "" {
		return nil, download.ErrSuperseded
	}
	if err := a.awaitEarlier(); err != nil {
		return nil, err
	}
	f, err := a.around.Open(a.remote, from, a.known)
	if remote.Absent(err) && set.elsewhere(a.node, from) {
		return nil, download.ErrSuperseded
	}
	return f, err
}

// elsewhere reports whether a node was replaced or renamed on the remote.
func (set *Set) elsewhere(n *tree.Node, path string) bool {
	set.Lock.Lock()
	defer set.Lock.Unlock()
	return set.tree.Node(n.ID) != n || n.HasBase() && n.RemotePath() != path
}

// Reopen opens the file under the path that it has on the remote now.
func (a *shared) Reopen() (afero.File, error) {
	set := a.set
	set.Lock.Lock()
	from, around := a.node.RemotePath(), detour.Of(set.tree)
	set.Lock.Unlock()
	if from == "" {
		return nil, fs.ErrNotExist
	}
	return around.OpenAny(a.remote, from)
}

// Expect tells the remote how many bytes will be requested.
func (a *shared) Expect(bytes int64) { a.set.Limits.ExpectBytes(bytes) }
