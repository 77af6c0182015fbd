package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Others remove files and directories while pushes run, and the program makes, renames and removes some. Nothing that the
// program has written is lost unless somebody has removed it, and in the end, with or without conflicts, both sides agree.
func TestOthersRemoveDuringPushes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(rt *rapid.T) {
			r := &removing{rt: rt, background: newBackground(rt, cachefs.Always, bubbleDisk(), bubbleDisk()), alive: map[string]bool{}}
			defer r.close(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"write":      func(*rapid.T) { r.write() },
				"write2":     func(*rapid.T) { r.write() },
				"write3":     func(*rapid.T) { r.write() },
				"mkdir":      func(*rapid.T) { r.mkdir() },
				"rename":     func(*rapid.T) { r.rename() },
				"rename2":    func(*rapid.T) { r.rename() },
				"remove":     func(*rapid.T) { r.remove("remove", r.fs.Remove) },
				"removeall":  func(*rapid.T) { r.remove("removeall", r.fs.RemoveAll) },
				"look":       func(*rapid.T) { r.look() },
				"others":     func(*rapid.T) { r.others() },
				"others2":    func(*rapid.T) { r.others() },
				"come to it": func(*rapid.T) { r.agree() },
			})
			r.agree()
		})
	})
}

// removing is one history.
type removing struct {
	*background
	rt    *rapid.T
	texts int
	alive map[string]bool // texts that the program has written, and nobody has removed
}

var removingNames = rapid.SampledFrom([]string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a"})

func (r *removing) name() string { return removingNames.Draw(r.rt, "name") }

func (r *removing) mkdir() {
	name := r.name()
	r.program("mkdirall", name, "", r.fs.MkdirAll(name, 0o755))
}

func (r *removing) program(op, name, to string, err error) {
	r.rt.Logf("%s %s %s: %v", op, name, to, err)
}

// shown are the texts that the program sees under a name and below it.
func (r *removing) shown(name string) (texts []string) {
	_ = afero.Walk(r.fs, name, func(name string, info fs.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			if text, err := afero.ReadFile(r.fs, name); err == nil {
				texts = append(texts, string(text))
			}
		}
		return nil
	})
	return texts
}

// gone takes note that somebody has removed texts, or may have.
func (r *removing) gone(texts []string) {
	for _, text := range texts {
		delete(r.alive, text)
	}
}

func (r *removing) write() {
	r.call()
	name := r.name()
	replaced := r.shown(name)
	r.texts++
	text := fmt.Sprintf("text %d", r.texts)
	err := afero.WriteFile(r.fs, name, []byte(text), 0o644)
	r.program("write", name, text, err)
	if err == nil {
		r.gone(replaced)
		r.alive[text] = true
	}
}

func (r *removing) rename() {
	r.call()
	from, to := r.name(), r.name()
	replaced := r.shown(to)
	err := r.fs.Rename(from, to)
	r.program("rename", from, to, err)
	if err == nil && from != to {
		r.gone(replaced)
	}
}

func (r *removing) remove(op string, remove func(string) error) {
	r.call()
	name := r.name()
	removed := r.shown(name)
	err := remove(name)
	r.program(op, name, "", err)
	if err == nil || op == "removeall" {
		r.gone(removed)
	}
}

func (r *removing) look() {
	r.call()
	name := r.name()
	_, err := r.fs.Stat(name)
	r.program("stat", name, "", err)
}

// others removes something that the remote has.
func (r *removing) others() {
	r.wait()
	r.ops.Lock()
	defer r.ops.Unlock()
	tree, err := aferotest.Tree(r.remote)
	require.NoError(r.rt, err)
	maps.DeleteFunc(tree, func(name string, _ aferotest.Entry) bool { return localdir.Reserved(path.Base(name)) })
	if len(tree) == 0 {
		return
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(tree))).Draw(r.rt, "their name")
	for other, e := range tree {
		if within(other, name) {
			r.gone([]string{e.Content})
		}
	}
	r.rt.Logf("others remove %s", name)
	require.NoError(r.rt, r.remote.RemoveAll("/"+name))
}

// agree brings both sides together.
func (r *removing) agree() {
	r.end()
	var err error
	for range 4 {
		if _, err = r.fs.Push(context.Background()); err == nil {
			break
		}
	}
	if err != nil {
		onlyConflicts(r.rt, err)
		r.rt.Logf("discard: %v", err)
		require.NoError(r.rt, r.fs.Discard())
		_, err = r.fs.Push(context.Background())
		require.NoError(r.rt, err)
	}
	time.Sleep(guardFor) // until then, what others remove may pass for what a request in doubt has moved
	_, err = r.fs.Push(context.Background())
	require.NoError(r.rt, err)
	served, view := contents(r.rt, r.remote), contents(r.rt, r.fs)
	require.Empty(r.rt, aferotest.Diff(served, view))
	kept := map[string]bool{}
	for _, e := range served {
		kept[e.Content] = true
	}
	infos, err := afero.ReadDir(r.local, ".syncfs/discarded")
	require.NoError(r.rt, err)
	for _, info := range infos {
		text, err := afero.ReadFile(r.local, ".syncfs/discarded/"+info.Name())
		require.NoError(r.rt, err)
		kept[string(text)] = true
	}
	for text := range r.alive {
		require.True(r.rt, kept[text], "%s is lost", text)
	}
	clear(r.alive) // what others remove from now on is known to the program, or was pushed
	for _, e := range served {
		if e.Type == 0 {
			r.alive[e.Content] = true
		}
	}
}
