package download

import (
	"errors"
	"io"
	"path"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Copy is a whole version in a temporary file.
type Copy struct {
	Version tree.Meta // of the remote's file
	Hash    tree.Hash
	Info    localdir.Info // of the temporary file
	Synced  bool          // its bytes survive the loss of power
	Temp    string        // its name
	Began   time.Time     // when the first byte was asked for, or before
	Ended   time.Time     // when it was whole
}

// fetch downloads the bytes and gives the copy to the owner. If that succeeds, it returns the remote's file still open:
// a reader that reads to the end does not wait for it to be closed, but the Close of a handle does.
func (d *Download) fetch() (open afero.File, err error) {
	if d.wanted.Happened() {
		d.source.Expect(d.file.Known.Size)
	}
	src, err := d.source.Open()
	if err != nil {
		return nil, err
	}
	defer func() {
		if open != nil {
			return
		}
		if err = d.stopRequests(err); errors.Is(err, ErrNoRoom) {
			d.pool.add(src) // readers continue there
			return
		}
		d.pool.close()
		_ = src.Close()
	}()
	d.Opened.happen()

	early, headSize := d.startEarly(src), min(d.file.Known.Size, remote.HeadSize)
	if early != nil {
		defer early.end()
		headSize = 0
	}
	head, version, err := readHead(src, d.file.Known, headSize)
	if err != nil {
		return nil, err
	}
	if version.Mode.IsDir() {
		return nil, syscall.EISDIR
	}
	d.change(func() { d.version, d.src, d.end = version, src, version.Size })
	here := d.owner.Begin(version)
	if early != nil && (here != nil || !version.SameVersion(d.file.Known)) {
		early.end()
		early = nil
		if _, err := src.Seek(0, io.SeekStart); err != nil {
			return nil, remote.Error(err)
		}
	}
	if err := d.owner.Reserve(here, version.Size); err != nil {
		return nil, err
	}
	var t *transfer
	taken := false
	defer func() {
		if !taken {
			d.drop(t, err)
		}
	}()
	if t, err = d.begin(here, head); err != nil {
		return nil, err
	}
	t.early = early
	c, err := t.run()
	if err != nil {
		return nil, err
	}
	open = src
	taken, err = d.owner.Install(c)
	return open, err
}

// readHead reads the beginning of a file at the same time as its version, which saves a round trip. The bytes may be of
// an older version, so they only count if the version is the one that was known before. Otherwise it returns no bytes.
func readHead(src afero.File, known tree.Meta, size int64) ([]byte, tree.Meta, error) {
	if f, ok := src.(remote.WholeFile); ok && remote.MetaOf(f.Info).SameVersion(known) {
		return f.Content, remote.MetaOf(f.Info), nil
	}
	type read struct {
		head []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		r := read{head: make([]byte, size)}
		if size > 0 {
			var n int
			n, r.err = io.ReadFull(src, r.head)
			r.head = r.head[:n]
		}
		done <- r
	}()
	fi, err := src.Stat()
	r := <-done
	switch {
	case err != nil:
		return nil, tree.Meta{}, remote.Error(err)
	case remote.MetaOf(fi).SameVersion(known):
		if errors.Is(r.err, io.EOF) || errors.Is(r.err, io.ErrUnexpectedEOF) {
			r.err = nil // the length check will notice
		}
	case size > 0 && !fi.IsDir():
		r.head = nil
		_, r.err = src.Seek(0, io.SeekStart)
	default:
		r.err = nil
	}
	if r.err != nil {
		return nil, tree.Meta{}, remote.Error(r.err)
	}
	return r.head, remote.MetaOf(fi), nil
}

// drop ends the temporary file of a download that did not become a copy.
func (d *Download) drop(t *transfer, err error) {
	defer d.Left.happen()
	err = d.stopRequests(err)
	d.mu.Lock()
	temp, superseded := d.temp, d.state == handedOver
	d.mu.Unlock()
	lost := err == nil || errors.Is(err, ErrChanged) || errors.Is(err, ErrNoRoom)
	if t != nil && !superseded && !lost && t.keep() {
		return
	}
	if temp != "" {
		d.store.remove(temp)
	}
	d.owner.Dropped()
}

// Forget deletes the note beside the temporary file, which is not a partial file any more.
func (c Copy) Forget(local *localdir.Dir) {
	if path.Dir(c.Temp) == localdir.PartialDir {
		_ = local.Remove(c.Temp + noteSuffix)
	}
}
