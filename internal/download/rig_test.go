package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// large takes several reads to fetch.
var large = bytes.Repeat([]byte("0123456789abcdef"), 10_000)

// How long something is waited for that happens beside the test, and how often it is looked at.
const (
	wait = 10 * time.Second
	tick = time.Millisecond
)

// rig is a remote with one file, and an owner of downloads of it, who keeps the last copy as "/copy".
type rig struct {
	*testing.T
	remote, disk afero.Fs
	base         *remote.Remote
	local        *localdir.Dir
	store        *Store
	received     atomic.Int64
	ctx          context.Context
	room         int64 // 0: without a bound

	mu     sync.Mutex // guards what follows
	ledger *Ledger
	began  int // downloads
	known  tree.Meta
}

// newRig returns one of which the downloads see the remote through over, and the local directory through overDisk.
func newRig(t *testing.T, over, overDisk func(afero.Fs) afero.Fs) *rig {
	t.Helper()
	r := &rig{T: t, remote: crashfs.New(nil), disk: crashfs.New(nil), ctx: t.Context()}
	require.NoError(t, afero.WriteFile(r.remote, "/file", large, 0o644))
	local, err := localdir.Open(overDisk(r.disk))
	require.NoError(t, err)
	r.local = local
	t.Cleanup(func() { require.NoError(t, r.local.Close()) })
	r.base = remote.New(context.Background(), over(r.remote))
	r.ledger = NewLedger(local)
	r.store = NewStore(local, slog.New(slog.DiscardHandler), time.Now, &r.received)
	r.look()
	return r
}

func asItIs(fs afero.Fs) afero.Fs { return fs }

// look has the owner know what the remote has now.
func (r *rig) look() {
	fi, err := r.remote.Stat("/file")
	require.NoError(r, err)
	r.known = remote.MetaOf(fi)
}

// owned is one of the downloads.
type owned struct {
	r    *rig
	d    *Download
	base *remote.Remote
}

// start begins a download.
func (r *rig) start() *Download {
	d := r.make()
	go d.Run()
	return d
}

func (r *rig) make() *Download {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began++
	o := &owned{r: r}
	file := File{From: "file", Known: r.known, Temp: fmt.Sprintf("file-%d", r.began)}
	o.d = New(r.ctx, r.store, file, o, o)
	o.base = r.base.Bind(o.d.Context())
	return o.d
}

// fetch has all of the file brought.
func (r *rig) fetch() error {
	d := r.make()
	d.Want()
	d.Run() // which has closed all files when it returns
	return d.Result()
}

func (o *owned) Open() (afero.File, error) {
	f, err := o.base.Fs().Open(o.base.Name("file"))
	return f, remote.Error(err)
}

func (o *owned) Reopen() (afero.File, error) { return o.Open() }

func (o *owned) Expect(int64) {}

func (o *owned) HasPartial() bool {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	return o.r.ledger.Partial("file") != nil
}

func (o *owned) Begin(version tree.Meta) *Partial {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	o.r.known = version
	return o.r.ledger.Take("file", version)
}

func (o *owned) Reserve(here *Partial, size int64) error {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	sum := o.r.ledger.Sum()
	if o.r.room > 0 && o.r.ledger.More(o.d, here, size) > o.r.room-sum.Int64() {
		o.r.ledger.Remove(here)
		return ErrNoRoom
	}
	o.r.ledger.Reserve(o.d, here, size)
	return nil
}

func (o *owned) Install(c Copy) (bool, error) {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	f, err := o.r.local.OpenFile(c.Temp, os.O_RDONLY, 0)
	if err != nil {
		return false, err
	}
	h := sha256.New()
	_, err = io.Copy(h, io.NewSectionReader(f, 0, 1<<40))
	if err = errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	if tree.Hash(h.Sum(nil)) != c.Hash {
		return false, errors.New("the hash is not that of the bytes")
	}
	c.Forget(o.r.local)
	if err := o.r.local.Rename(c.Temp, "copy"); err != nil {
		return false, err
	}
	o.r.ledger.Free(o.d)
	o.d.Installed()
	return true, nil
}

func (o *owned) Keep(p *Partial) bool {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	o.r.ledger.Keep(o.d, p)
	return true
}

func (o *owned) Dropped() {
	o.r.mu.Lock()
	defer o.r.mu.Unlock()
	o.r.ledger.Free(o.d)
}

func (o *owned) Ended() {}

// has requires that the copy is one whole content, or that there is none, and that nothing else is left.
func (r *rig) has(contents ...[]byte) {
	r.Helper()
	left, err := afero.ReadDir(r.disk, localdir.TmpDir)
	require.NoError(r, err)
	require.Empty(r, left, "a temporary file was left")
	r.counted()
	got, err := afero.ReadFile(r.disk, "/copy")
	if len(contents) == 0 {
		require.Error(r, err, "%d bytes", len(got))
		return
	}
	require.NoError(r, err)
	for _, c := range contents {
		if bytes.Equal(c, got) {
			return
		}
	}
	r.Fatalf("the copy has %d bytes of none of the versions", len(got))
}

// counted requires that the bytes in the ledger are those of the partial files on the disk.
func (r *rig) counted() {
	r.Helper()
	want, err := aferotest.Used(r.disk, localdir.PartialDir, func(string) bool { return false })
	require.NoError(r, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.ledger.Sum()
	require.Equal(r, want, sum.Int64())
}

// reading is a handle on the file.
type reading struct {
	r  *rig
	d  *Download
	at Reader
}

// open returns a handle, while the file arrives.
func (r *rig) open() *reading {
	d := r.make()
	d.Hold()
	go d.Run()
	return &reading{r: r, d: d}
}

// ReadAt reads until p is full.
func (h *reading) ReadAt(p []byte, off int64) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		n, err = h.d.Read(h.r.ctx, &h.at, p[done:], off+int64(done))
		done += n
	}
	return done, err
}

// close gives the handle up. What is left of the download ends.
func (h *reading) close() {
	h.d.Cancel()
	<-h.d.Closed
	h.d.Release()
}
