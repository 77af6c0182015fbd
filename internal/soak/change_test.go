//go:build unix

package soak

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// shared is the directory into which all write. In the directory stable, of each client, files are replaced, but never
// missing.
const (
	shared = "shared"
	stable = "stable"
)

func within(dir, name string) bool {
	return tree.Within(strings.TrimPrefix(name, "/"), dir)
}

// change is what a client does in its directory, and then in the oracle. Names are what it may change, with everything
// below.
type change struct {
	Kind  string
	Names []string
	do    func(afero.Fs) error

	unforeseen bool // only the view knows the outcome
}

// make makes a change on both sides. Its beginning and its end are recorded, so that the next process knows what was under
// way when this one died.
func (c *client) make(ch change) {
	doing := c.Oracle + ".doing"
	text, err := json.Marshal(ch)
	if err == nil {
		err = os.WriteFile(doing+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(doing+".new", doing)
	}
	if err != nil {
		c.wrong("%v", err)
		return
	}
	if err := ch.do(c.fs); passing(err) || ch.unforeseen && err == nil {
		if !c.adopt(ch) {
			return // the next process does
		}
	} else if want := ch.do(c.oracle); !alike(err, want) {
		c.wrong("%s %v: %v, not %v", ch.Kind, ch.Names, err, want)
	}
	if err := os.Remove(doing); err != nil {
		c.wrong("%v", err)
	}
	c.did(ch.Kind)
}

func alike(got, want error) bool {
	return (got == nil) == (want == nil) && errors.Is(got, fs.ErrNotExist) == errors.Is(want, fs.ErrNotExist) &&
		errors.Is(got, fs.ErrExist) == errors.Is(want, fs.ErrExist)
}

// payload is random, mostly short.
func (c *client) payload() []byte {
	size := c.rand.IntN(5000)
	switch c.rand.IntN(100) {
	case 0:
		size = c.rand.IntN(8 << 20)
	case 1, 2, 3, 4:
		size = c.rand.IntN(1 << 20)
	}
	p := make([]byte, size)
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(c.rand.Uint32())
	}
	_, _ = rand.NewChaCha8(seed).Read(p)
	return p
}

func (c *client) record() []byte {
	c.number++
	return record(fmt.Sprintf("%s.%x", c.Name, c.Seed), c.number, c.payload())
}

var dirs = []string{"d0", "d1", "d0/e", "d2"}

func (c *client) dir() string { return c.own(dirs[c.rand.IntN(len(dirs))]) }

func (c *client) own(name string) string { return "/" + c.Name + "/" + name }

func (c *client) file() string {
	name := fmt.Sprintf("f%d", c.rand.IntN(6))
	if i := c.rand.IntN(2 * len(dirs)); i < len(dirs) {
		name = dirs[i] + "/" + name
	}
	return c.own(name)
}

// write writes a file in place, in several pieces.
func write(name string, content []byte, flag int, pieces int) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		f, err := fsys.OpenFile(name, flag, 0o644)
		if err != nil {
			return err
		}
		for i := range pieces {
			_, writeErr := f.Write(content[len(content)*i/pieces : len(content)*(i+1)/pieces])
			err = errors.Join(err, writeErr)
		}
		return errors.Join(err, f.Close())
	}
}

const anew = os.O_WRONLY | os.O_CREATE | os.O_TRUNC

// replace writes a file under another name and renames it, as programs do that show no part.
func replace(name, temp string, content []byte) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		if err := write(temp, content, anew, 2)(fsys); err != nil {
			return err
		}
		return fsys.Rename(temp, name)
	}
}

// truncate cuts a file behind one of its records.
func truncate(name string, which int) func(afero.Fs) error {
	return func(fsys afero.Fs) (err error) {
		f, err := fsys.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		content, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		all, err := ends(content)
		if err != nil || len(all) == 0 {
			return err
		}
		return f.Truncate(int64(all[which%len(all)]))
	}
}

func swap(a, b, temp string) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		for _, names := range [][2]string{{a, temp}, {b, a}, {temp, b}} {
			if err := fsys.Rename(names[0], names[1]); err != nil {
				return err
			}
		}
		return nil
	}
}

// byHand puts a file into the local directory, as another program does, and adds it.
func (c *client) byHand(name string, content []byte) func(afero.Fs) error {
	temp := c.Local + ".hand"
	return func(fsys afero.Fs) error {
		if fsys == c.oracle {
			return afero.WriteFile(fsys, name, content, 0o644)
		}
		here := filepath.Join(c.Local, name)
		err := errors.Join(os.WriteFile(temp, content, 0o644), os.MkdirAll(filepath.Dir(here), 0o755), os.Rename(temp, here))
		if err != nil {
			return err
		}
		return c.fs.Add(name)
	}
}

// discard takes back what is queued about a name.
func (c *client) discard(name string) func(afero.Fs) error {
	return func(fsys afero.Fs) error {
		if fsys == c.oracle {
			return nil
		}
		err := c.fs.Discard(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syncfs.ErrBusy) {
			err = nil
		}
		return err
	}
}

// step makes one call.
func (c *client) step() {
	file, other, dir := c.file(), c.file(), c.dir()
	switch n := c.rand.IntN(100); {
	case n < 14:
		c.make(change{Kind: "write", Names: []string{file}, do: write(file, c.record(), anew, 1+c.rand.IntN(4))})
	case n < 22:
		temp := file + ".tmp"
		c.make(change{Kind: "replace", Names: []string{file, temp}, do: replace(file, temp, c.record())})
	case n < 26:
		name := c.own(fmt.Sprintf("%s/s%d", stable, c.rand.IntN(4)))
		temp := c.own("replacing") // not there, where nothing may be missing
		c.make(change{Kind: "replace", Names: []string{name, temp}, do: replace(name, temp, c.record())})
	case n < 34:
		c.make(change{Kind: "append", Names: []string{file}, do: write(file, c.record(), os.O_WRONLY|os.O_APPEND, 2)})
	case n < 38:
		c.make(change{Kind: "truncate", Names: []string{file}, do: truncate(file, c.rand.IntN(10))})
	case n < 46:
		c.make(change{Kind: "rename", Names: []string{file, other}, do: func(fsys afero.Fs) error { return fsys.Rename(file, other) }})
	case n < 49:
		if to := c.dir(); !within(dir[1:], to) && !within(to[1:], dir) {
			c.make(change{Kind: "rename directory", Names: []string{dir, to}, do: func(fsys afero.Fs) error { return fsys.Rename(dir, to) }})
		}
	case n < 52:
		temp := c.own("swapping")
		c.make(change{Kind: "swap", Names: []string{file, other, temp}, do: swap(file, other, temp)})
	case n < 57:
		c.make(change{Kind: "remove", Names: []string{file}, do: func(fsys afero.Fs) error { return fsys.Remove(file) }})
	case n < 59:
		c.make(change{Kind: "remove all", Names: []string{dir}, do: func(fsys afero.Fs) error { return fsys.RemoveAll(dir) }})
	case n < 64:
		c.make(change{Kind: "mkdir", Names: []string{path.Dir(dir), dir}, do: func(fsys afero.Fs) error { return fsys.MkdirAll(dir, 0o755) }})
	case n < 67:
		link := c.own(fmt.Sprintf("l%d", c.rand.IntN(3)))
		c.make(change{Kind: "symlink", Names: []string{link}, do: func(fsys afero.Fs) error {
			if err := fsys.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return fsys.(afero.Linker).SymlinkIfPossible(path.Base(other), link)
		}})
	case n < 71:
		mode := []fs.FileMode{0o600, 0o644, 0o640, 0o755}[c.rand.IntN(4)]
		c.make(change{Kind: "chmod", Names: []string{file}, do: func(fsys afero.Fs) error { return fsys.Chmod(file, mode) }})
	case n < 74:
		at := time.Unix(1e9+c.rand.Int64N(1e9), 0)
		c.make(change{Kind: "chtimes", Names: []string{file}, do: func(fsys afero.Fs) error { return fsys.Chtimes(file, at, at) }})
	case n < 76:
		name := c.own(fmt.Sprintf("hand/h%d", c.rand.IntN(3)))
		c.make(change{Kind: "by hand", Names: []string{name}, do: c.byHand(name, c.record())})
	case n < 79:
		if c.Name != direct {
			c.writeShared()
		}
	case n < 86:
		c.read(file)
	case n < 92:
		c.readOthers()
	case n < 96:
		c.compare(path.Dir(file), false)
	case n < 97:
		if c.Name == direct { // a delivery may have removed what Discard would go back to
			return
		}
		c.make(change{Kind: "discard", Names: []string{c.own("")}, do: c.discard(file), unforeseen: true})
	default:
		c.keep(file)
	}
	if c.rand.IntN(4) == 0 {
		c.pause(time.Duration(c.rand.IntN(30)) * time.Millisecond)
	}
}

// keep changes only what is kept locally.
func (c *client) keep(name string) {
	var err error
	kind := []string{"evict", "pin", "unpin", "fetch", "invalidate", "plan", "status"}[c.rand.IntN(7)]
	switch kind {
	case "evict":
		if err = c.fs.Evict(name); errors.Is(err, syncfs.ErrBusy) || errors.Is(err, cachefs.ErrChanged) {
			err = nil // open, pinned or queued
		}
	case "pin":
		err = c.fs.Pin(c.ctx, name)
	case "unpin":
		err = c.fs.Unpin(name)
	case "fetch":
		err = c.fs.Fetch(c.ctx, name)
	case "invalidate":
		err = c.fs.Invalidate(name)
	case "plan":
		_, err = c.fs.Plan(c.ctx)
	case "status":
		_, err = c.fs.Status(name)
	}
	if err != nil && !passing(err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EISDIR) &&
		!errors.Is(err, syscall.ENOTDIR) {
		c.wrong("%s %s: %v", kind, name, err)
	}
	c.did(kind)
}

// writeShared writes into the directory of all.
func (c *client) writeShared() {
	name := fmt.Sprintf("/%s/x%d", shared, c.rand.IntN(5))
	if err := write(name, c.record(), anew, 2)(c.fs); err != nil && !passing(err) {
		c.wrong("write %s: %v", name, err)
	}
	c.did("write shared")
}
