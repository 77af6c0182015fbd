//go:build unix

package soak

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// recover finds out what became of the call that was under way when the process before died, and compares the view.
func (c *client) recover() {
	var ch change
	text, err := os.ReadFile(c.Oracle + ".doing")
	if err == nil {
		err = json.Unmarshal(text, &ch)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		c.wrong("%v", err)
	case !c.adopt(ch):
		return // the next process does
	default:
		if err := os.Remove(c.Oracle + ".doing"); err != nil {
			c.wrong("%v", err)
		}
	}
	c.compare(c.own(""), false)
}

// adopt makes the oracle equal to the view where a call may have changed it. It returns false if the client was told to
// stop before.
func (c *client) adopt(ch change) bool {
	for _, name := range ch.Names {
		for {
			if c.ctx.Err() != nil {
				return false
			}
			err := c.adoptName(name, ch.Kind)
			if err == nil {
				break
			}
			if !passing(err) {
				c.wrong("after %s %v: %s: %v", ch.Kind, ch.Names, name, err)
				break
			}
			c.pause(20 * time.Millisecond)
		}
	}
	c.did("recover " + ch.Kind)
	return true
}

func (c *client) adoptName(name, kind string) error {
	fi, _, err := c.fs.LstatIfPossible(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return c.oracle.RemoveAll(name)
	}
	if err != nil {
		return err
	}
	switch fi.Mode().Type() {
	case fs.ModeDir:
		infos, err := afero.ReadDir(c.fs, name)
		if err != nil {
			return err
		}
		if err := errors.Join(c.oracle.RemoveAll(name), c.oracle.MkdirAll(name, 0o755), c.oracle.Chmod(name, fi.Mode())); err != nil {
			return err
		}
		for _, fi := range infos {
			if err := c.adoptName(path.Join(name, fi.Name()), kind); err != nil {
				return err
			}
		}
		return nil
	case fs.ModeSymlink:
		target, err := c.fs.ReadlinkIfPossible(name)
		if err != nil {
			return err
		}
		_ = c.oracle.RemoveAll(name)
		return c.oracle.(afero.Linker).SymlinkIfPossible(target, name)
	}
	content, err := afero.ReadFile(c.fs, name)
	if err != nil {
		return err
	}
	written := slices.Contains([]string{"write", "replace", "append", "truncate", "by hand"}, kind)
	_, torn := ends(content)
	switch {
	case torn != nil && !written:
		return torn
	case torn != nil: // the process died while it wrote
		content = c.record()
		err = write(name, content, anew, 1)(c.fs)
	case written: // perhaps it died before the end, so that Push would wait for it
		err = c.fs.Add(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // only on the remote: it was not written
		return err
	}
	if fi, _, err = c.fs.LstatIfPossible(name); err != nil {
		return err
	}
	_ = c.oracle.RemoveAll(name)
	return errors.Join(c.oracle.MkdirAll(path.Dir(name), 0o755), afero.WriteFile(c.oracle, name, content, 0o644),
		c.oracle.Chmod(name, fi.Mode()))
}

// read reads a file of the client.
func (c *client) read(name string) {
	want, wantErr := afero.ReadFile(c.oracle, name)
	got, err := afero.ReadFile(c.fs, name)
	switch {
	case passing(err):
	case !alike(err, wantErr):
		c.wrong("read %s: %v, not %v", name, err, wantErr)
	case !bytes.Equal(got, want):
		c.wrong("read %s: %s, not %s", name, summary(got), summary(want))
	}
	c.did("read")
}

func summary(content []byte) string {
	head, _, _ := bytes.Cut(content, []byte("\n"))
	_, err := ends(content)
	return fmt.Sprintf("%d bytes (%.6x) of %.40q, torn: %v", len(content), sha256.Sum256(content), head, err != nil)
}

// readOthers reads a file that others change.
func (c *client) readOthers() {
	dir := []string{c.Others[c.rand.IntN(len(c.Others))], shared}[c.rand.IntN(2)]
	infos, err := afero.ReadDir(c.fs, "/"+dir)
	var got []byte
	name := "/" + dir
	if err == nil && len(infos) > 0 {
		name = path.Join(name, infos[c.rand.IntN(len(infos))].Name())
		got, err = afero.ReadFile(c.fs, name)
	}
	if err != nil && !passing(err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EISDIR) &&
		!errors.Is(err, cachefs.ErrChanged) && !errors.Is(err, syscall.ENOTDIR) {
		c.wrong("read %s: %v", name, err)
	}
	if err == nil && dir != direct {
		if _, torn := ends(got); torn != nil {
			c.wrong("read %s: %s", name, summary(got))
		}
	}
	c.did("read of others")
}

// compare compares what the client and the oracle have in a directory and below it. If the remote does not answer, it only
// compares what is known, unless patient is set.
func (c *client) compare(dir string, patient bool) {
	got, err := contents(c.fs, dir)
	for patient && passing(err) {
		c.pause(50 * time.Millisecond)
		got, err = contents(c.fs, dir)
	}
	if passing(err) {
		return
	}
	want, wantErr := contents(c.oracle, dir)
	if !alike(err, wantErr) {
		c.wrong("list %s: %v, not %v", dir, err, wantErr)
	}
	for _, difference := range differences(got, want) {
		c.wrong("in the view: %s", difference)
	}
	c.did("list")
}

// contents describes everything in a directory and below it, by name.
func contents(fsys afero.Fs, dir string) (map[string]string, error) {
	all := map[string]string{}
	infos, err := afero.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	for _, fi := range infos {
		name := path.Join(dir, fi.Name())
		var what string
		switch fi.Mode().Type() {
		case fs.ModeDir:
			below, err := contents(fsys, name)
			if err != nil {
				return nil, err
			}
			for name, what := range below {
				all[name] = what
			}
			what = "directory"
		case fs.ModeSymlink:
			target, err := fsys.(afero.LinkReader).ReadlinkIfPossible(name)
			if err != nil {
				return nil, err
			}
			what = "link to " + target
		default:
			content, err := afero.ReadFile(fsys, name)
			if err != nil {
				return nil, err
			}
			what = fmt.Sprintf("%v %s", fi.Mode(), summary(content))
		}
		if !localdir.Reserved(fi.Name()) {
			all[name] = what
		} else if strings.HasSuffix(fi.Name(), ".part") {
			all[name] = "temporary file"
		}
	}
	return all, nil
}

// differences compares two results of contents.
func differences(got, want map[string]string) []string {
	var all []string
	for name, what := range got {
		if want[name] != what {
			all = append(all, fmt.Sprintf("%s: %s, not %s", name, what, want[name]))
		}
	}
	for name, what := range want {
		if _, ok := got[name]; !ok {
			all = append(all, fmt.Sprintf("%s: missing, not %s", name, what))
		}
	}
	slices.Sort(all)
	return all
}

// settle pushes everything. Then one Push with nothing queued makes good what a request in doubt has done.
func (c *client) settle() {
	c.recover()
	for attempt := 0; ; attempt++ {
		policy := syncfs.Fail
		if attempt%2 == 1 {
			policy = syncfs.Overwrite
		}
		err := c.push(c.ctx, func(ctx context.Context) (syncfs.Report, error) {
			return c.fs.PushWith(ctx, policy, "/"+shared)
		})
		if err == nil {
			break
		}
		if attempt == 50 {
			c.wrong("not pushed: %v", err)
			return
		}
		c.pause(100 * time.Millisecond)
	}
	if err := c.push(c.ctx, c.fs.Push); err != nil {
		c.wrong("second Push: %v", err)
	}
	c.compare(c.own(""), true)
}

// list writes down what the client sees of everything.
func (c *client) list() error {
	if _, err := c.fs.Pull(c.ctx, "/"); err != nil {
		return err
	}
	all, err := contents(c.fs, "/")
	if err != nil {
		return err
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Listing, text, 0o600)
}
