package syncfs

import (
	"context"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// power is a history of calls over a disk that may lose its power at any operation.
type power struct {
	*testing.T
	disk   *crashfs.Fs
	remote afero.Fs
	opts   *Options
	fs     *Fs
	synced map[string]saved // by the name under which Sync acknowledged it
	texts  map[string]bool  // all that a file the program wrote may hold without being reported
	served map[string]bool  // what the remote had first
}

// saved is a content that lasts, and the names that it may be under.
type saved struct {
	text  string
	names []string
}

// After a loss of power at each operation of the local disk: what is left is opened; what Sync acknowledged is there;
// files that were only fetched are the remote's, whole; nothing but what the program changed is pushed; and a push
// brings the two sides together.
func TestPowerLoss(t *testing.T) {
	for _, c := range []struct {
		name    string
		journal bool
		publish Publish
	}{
		{"journal", true, PublishRename},
		{"no journal", false, PublishRename},
		{"journal, delivered directly", true, PublishDirect},
		{"no journal, delivered directly", false, PublishDirect},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := new(faultfs.Plan)
			p := &power{T: t, opts: &Options{Publish: c.publish, Cache: cachefs.Options{Parallel: 1}}, disk: crashfs.New(&crashfs.Options{Journal: c.journal, Inodes: c.journal}), remote: aferotest.OS(t.TempDir()),
				synced: map[string]saved{}, texts: map[string]bool{"": true}}
			seed(t, p.remote)
			p.served = p.visible(t, p.remote)
			stride := 7
			if c.publish == PublishDirect {
				stride = 19
			}
			if full() {
				stride = 1
			}
			plan.Before(func(op faultfs.Op) error {
				if op.Index%stride == 0 {
					p.look(op)
				}
				return nil
			})
			s, err := New(p.remote, faultfs.New(p.disk, plan), p.opts)
			require.NoError(t, err)
			p.fs = s
			p.tell()
			require.NoError(t, s.Close())
		})
	}
}

// tell makes the calls.
func (p *power) tell() {
	p.read("/b.txt")
	p.read("/d/x.txt")
	p.save("/new.txt", "made and synced")
	p.edit("/b.txt", "BETA")
	p.push()
	p.read("/c.txt")
	p.save("/temp", "saved as editors do")
	p.rename("/temp", "/c.txt")
	require.NoError(p, p.fs.Mkdir("/made", 0o755))
	p.save("/made/deep.txt", "in a new directory")
	p.write("/made/loose.txt", "never synced")
	require.NoError(p, p.fs.Rename("/d/y.txt", "/e/y.txt"))
	require.NoError(p, p.fs.Remove("/a.txt"))
	p.push()
	p.rename("/made", "/moved")
	require.NoError(p, p.fs.RemoveAll("/d/sub"))
	p.save("/new.txt", "saved once more, and longer")
	p.push()
}

func (p *power) push() {
	p.Helper()
	_, err := p.fs.Push(context.Background())
	require.NoError(p, err)
}

func (p *power) read(name string) {
	p.Helper()
	_, err := afero.ReadFile(p.fs, name)
	require.NoError(p, err)
}

// write writes a file without Sync.
func (p *power) write(name, text string) {
	p.Helper()
	delete(p.synced, name)
	p.texts[text] = true
	require.NoError(p, afero.WriteFile(p.fs, name, []byte(text), 0o644))
}

// edit overwrites the start of a file, without Sync: a part of that cannot be told from all of it by size and time.
func (p *power) edit(name, text string) {
	p.Helper()
	was, err := afero.ReadFile(p.fs, name)
	require.NoError(p, err)
	for n := range len(text) + 1 {
		p.texts[text[:n]+string(was[n:])] = true
	}
	f, err := p.fs.OpenFile(name, os.O_RDWR, 0)
	require.NoError(p, err)
	_, err = f.WriteAt([]byte(text), 0)
	require.NoError(p, err)
	require.NoError(p, f.Close())
}

// save writes a file with Sync.
func (p *power) save(name, text string) {
	p.Helper()
	delete(p.synced, name)
	p.texts[text] = true
	f, err := p.fs.Create(name)
	require.NoError(p, err)
	_, err = f.Write([]byte(text))
	require.NoError(p, err)
	require.NoError(p, f.Sync())
	p.synced[name] = saved{text, []string{name}}
	require.NoError(p, f.Close())
}

// rename takes along what is synced; until something else is, it may be under either name.
func (p *power) rename(from, to string) {
	p.Helper()
	for name, s := range p.synced {
		if rest, ok := cutDir(name, from); ok {
			delete(p.synced, name)
			s.names = append(s.names, to+rest)
			p.synced[to+rest] = s
		}
	}
	require.NoError(p, p.fs.Rename(from, to))
}

func cutDir(name, dir string) (rest string, ok bool) {
	if name == dir {
		return "", true
	}
	if len(name) > len(dir) && name[:len(dir)] == dir && name[len(dir)] == '/' {
		return name[len(dir):], true
	}
	return "", false
}
