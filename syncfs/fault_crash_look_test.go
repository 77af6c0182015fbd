package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// look loses the power, in several ways, and goes on with what is left.
func (p *power) look(op faultfs.Op) {
	disks := map[string]afero.Fs{"all that was not synced is lost": p.disk.Crash()}
	for seed := range uint64(3) {
		disks[fmt.Sprintf("seed %d", seed)] = p.disk.CrashRandom(seed + uint64(op.Index)*3)
	}
	for how, disk := range disks {
		p.Run(fmt.Sprintf("%d/%s", op.Index, how), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("before %v", op)
				}
			}()
			p.reopen(t, disk)
		})
	}
}

func (p *power) reopen(t *testing.T, disk afero.Fs) {
	remote := copied(t, p.remote)
	s, err := New(remote, disk, trying(&Options{Publish: p.opts.Publish}))
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Damage())

	view, err := aferotest.Tree(s)
	require.NoError(t, err)
	for _, want := range p.synced {
		require.True(t, slices.ContainsFunc(want.names, func(name string) bool {
			return view[name[1:]].Content == want.text
		}), "%v should be %q", want.names, want.text)
	}
	theirs := p.visible(t, remote)
	for text := range theirs {
		require.True(t, p.served[text] || p.texts[text] || p.opts.Publish == PublishDirect && p.begun(text), "the remote shows %q", text)
	}
	unfinished := interrupted(t, s)
	for name, e := range view {
		if e.Type == 0 && !p.texts[e.Content] && !unfinished[name] && !theirs[e.Content] {
			status, err := s.Status(name) // its record was lost, too, and nothing of it is pushed
			require.NoError(t, err)
			require.Equal(t, cachefs.Local, status.State, "%s is %q", name, e.Content)
		}
	}
	for _, c := range s.Pending() {
		if _, ok := cutDir(c.Name, "d"); ok || c.Name == "e/one" || c.Name == "link" {
			require.NotEqual(t, Put, c.Op, "%v, which the program has not written", c)
		}
	}
	p.together(t, s, remote, disk)
}

// visible are the contents that other clients of a remote see.
func (p *power) visible(t *testing.T, remote afero.Fs) map[string]bool {
	texts := map[string]bool{}
	tree, err := aferotest.Tree(remote)
	require.NoError(t, err)
	for name, e := range tree {
		if e.Type == 0 && !localdir.Reserved(path.Base(name)) {
			texts[e.Content] = true
		}
	}
	return texts
}

// begun reports whether a content is the beginning of one that the program wrote.
func (p *power) begun(text string) bool {
	for whole := range p.texts {
		if strings.HasPrefix(whole, text) {
			return true
		}
	}
	return false
}

// interrupted are the files that are reported, and not pushed.
func interrupted(t *testing.T, s *Fs) map[string]bool {
	names := map[string]bool{}
	require.NoError(t, s.m.Do(func(v *mirror.View) error {
		v.Tree().Nodes(func(n *tree.Node) {
			if n.Content() == tree.Interrupted {
				names[n.Path()] = true
			}
		})
		return nil
	}))
	return names
}

// together brings both sides together, after the user has said what is to become of files that were being written.
func (p *power) together(t *testing.T, s *Fs, remote, disk afero.Fs) {
	for _, c := range s.Pending() {
		if c.Op != Put {
			continue
		}
		if _, err := disk.Stat("/" + c.Name); err == nil {
			require.NoError(t, s.Add(c.Name))
		} else {
			require.NoError(t, s.Discard(c.Name))
		}
	}
	_, err := s.Push(context.Background())
	require.NoError(t, err)
	require.NoError(t, s.AddDir("/", nil))
	_, err = s.Push(context.Background())
	require.NoError(t, err)
	view, err := aferotest.Tree(s)
	require.NoError(t, err)
	served, err := aferotest.Tree(remote)
	require.NoError(t, err)
	for name, e := range view { // a local directory that no file was queued in
		if _, ok := served[name]; e.Type == fs.ModeDir && !ok {
			delete(view, name)
		}
	}
	require.Empty(t, aferotest.Diff(view, served))
}

// copied is a copy of a remote as it is now.
func copied(t *testing.T, from afero.Fs) afero.Fs {
	tree, err := aferotest.Tree(from)
	require.NoError(t, err)
	to := aferotest.OS(t.TempDir())
	names := make([]string, 0, len(tree))
	for name := range tree {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e := tree[name]
		switch e.Type {
		case fs.ModeDir:
			err = to.Mkdir("/"+name, e.Perm)
		case fs.ModeSymlink:
			err = to.(afero.Linker).SymlinkIfPossible(e.Target, "/"+name)
		default:
			err = afero.WriteFile(to, "/"+name, []byte(e.Content), e.Perm)
			if err == nil {
				err = to.Chtimes("/"+name, time.Time{}, e.ModTime)
			}
		}
		require.NoError(t, err, path.Join("/", name))
	}
	return to
}
