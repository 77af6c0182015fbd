package download

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// selfWriting is a remote whose calls end with contexts, and whose files write themselves, a piece at a time. Before
// each piece, and the question what version it is, it calls before.
type selfWriting struct {
	afero.Fs
	ctx    context.Context
	before func(what string, name string) error
}

func (r selfWriting) WithContext(ctx context.Context) afero.Fs {
	return selfWriting{r.Fs, ctx, r.before}
}

func (r selfWriting) Open(name string) (afero.File, error) {
	f, err := r.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &selfWritingFile{File: f, r: r}, nil
}

type selfWritingFile struct {
	afero.File
	r  selfWriting
	mu sync.Mutex // of the position
}

func (f *selfWritingFile) ReadsAtOnce() bool { return true }

func (f *selfWritingFile) Stat() (fs.FileInfo, error) {
	if err := f.r.before("stat", f.Name()); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *selfWritingFile) Seek(off int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.File.Seek(off, whence)
}

func (f *selfWritingFile) WriteTo(w io.Writer) (written int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := make([]byte, 30_000)
	for {
		if err := f.r.before("piece", f.Name()); err != nil {
			return written, err
		}
		if f.r.ctx.Err() != nil {
			return written, f.r.ctx.Err()
		}
		n, err := f.File.Read(p)
		m, writeErr := w.Write(p[:n])
		written += int64(m)
		switch {
		case writeErr != nil:
			return written, writeErr
		case err == io.EOF:
			return written, nil
		case err != nil:
			return written, err
		}
	}
}

func newSelfWriting(t *testing.T, before func(f *rig, what string) error) *rig {
	var f *rig
	f = newRig(t, func(remote afero.Fs) afero.Fs {
		return selfWriting{remote, context.Background(), func(what, _ string) error { return before(f, what) }}
	}, asItIs)
	return f
}

// A file of which all is wanted begins to arrive while its version is asked for. If that is not the one that was known,
// what has come is of no use.
func TestVersionIsAnotherThanThatWhichHasBegunToArrive(t *testing.T) {
	t.Parallel()
	for name, other := range map[string][]byte{
		"same size": bytes.Repeat([]byte("x"), len(large)),
		"shorter":   bytes.Repeat([]byte("x"), 100_000),
		"longer":    bytes.Repeat([]byte("x"), 300_000),
		"small":     []byte("x"),
		"empty":     {},
	} {
		for _, when := range []string{"stat", "piece"} {
			t.Run(name+"/"+when, func(t *testing.T) {
				t.Parallel()
				var once sync.Once
				f := newSelfWriting(t, func(f *rig, what string) error {
					if what == when {
						once.Do(func() {
							require.NoError(t, afero.WriteFile(f.remote, "/file", other, 0o644))
							mtime := time.Now().Add(-time.Hour)
							require.NoError(t, f.remote.Chtimes("/file", mtime, mtime))
						})
					}
					return nil
				})
				err := f.fetch()
				if errors.Is(err, ErrChanged) {
					f.has()
					err = f.fetch()
				}
				require.NoError(t, err)
				f.has(other)
			})
		}
	}
}

// The answer about the version may be as late as it likes.
func TestVersionComesAfterTheFirstPieces(t *testing.T) {
	t.Parallel()
	piece, stats := make(chan struct{}), 0
	var once sync.Once
	f := newSelfWriting(t, func(_ *rig, what string) error {
		switch what {
		case "piece":
			once.Do(func() { close(piece) })
		case "stat":
			if stats++; stats == 1 {
				select {
				case <-piece:
				case <-time.After(wait):
					return errors.New("nothing comes before it")
				}
			}
		}
		return nil
	})
	require.NoError(t, f.fetch())
	f.has(large)
	require.Equal(t, 2, stats)
}

// Whatever fails, nothing is left, and the next call makes the copy.
func TestDownloadThatBeganEarlyFails(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	for _, what := range []string{"stat", "piece"} {
		for at := 1; ; at++ {
			n, fired := 0, false
			var mu sync.Mutex
			f := newSelfWriting(t, func(_ *rig, op string) error {
				mu.Lock()
				defer mu.Unlock()
				if op != what {
					return nil
				}
				if n++; n == at {
					fired = true
					return errBroken
				}
				return nil
			})
			err := f.fetch()
			if !fired {
				require.NoError(t, err)
				require.Greater(t, at, 2, what)
				break
			}
			require.ErrorIs(t, err, errBroken)
			require.ErrorIs(t, err, remote.ErrUnavailable)
			f.has()
			require.NoError(t, f.fetch())
			f.has(large)
		}
	}
}

// What was here of a file is gone on with.
func TestResumeOfAFileThatWritesItself(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(large, 20)
	errBroken := errors.New("broken")
	pieces, down := 0, true
	var mu sync.Mutex
	f := newSelfWriting(t, func(_ *rig, what string) error {
		mu.Lock()
		defer mu.Unlock()
		if what != "piece" {
			return nil
		}
		if pieces++; down && pieces > 60 {
			return errBroken
		}
		return nil
	})
	require.NoError(t, afero.WriteFile(f.remote, "/file", content, 0o644))
	f.look()
	require.ErrorIs(t, f.fetch(), errBroken)
	mu.Lock()
	pieces, down = 0, false
	mu.Unlock()
	require.NoError(t, f.fetch())
	f.has(content)
	require.Less(t, pieces, 107-50)
}

// A local disk that is full, at whatever write, ends what comes.
func TestNoRoomForWhatBeganEarly(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(large, 20)
	for _, at := range []int{1, 2, 5} {
		plan := new(faultfs.Plan)
		f := newRig(t, func(remote afero.Fs) afero.Fs {
			return selfWriting{remote, context.Background(), func(string, string) error { return nil }}
		}, func(local afero.Fs) afero.Fs { return faultfs.New(local, plan) })
		require.NoError(t, afero.WriteFile(f.remote, "/file", content, 0o644))
		f.look()
		before := plan.OpenFiles()
		full := errors.New("full")
		var mu sync.Mutex
		writes := 0
		plan.Before(func(op faultfs.Op) error {
			mu.Lock()
			defer mu.Unlock()
			if op.Kind != faultfs.WriteAt {
				return nil
			}
			if writes++; writes >= at {
				return full
			}
			return nil
		})
		require.ErrorIs(t, f.fetch(), full)
		plan.Before(nil)
		require.NoError(t, f.fetch())
		f.has(content)
		require.Empty(t, f.store.unwritten)
		require.Equal(t, before, plan.OpenFiles())
	}
}

// A download that is given up does not wait for what comes.
func TestGivenUpWhileWhatBeganEarlyComes(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"stat", "piece"} {
		reached, gate := make(chan struct{}), make(chan struct{})
		var once sync.Once
		f := newSelfWriting(t, func(_ *rig, what string) error {
			if what == when {
				once.Do(func() {
					close(reached)
					<-gate
				})
			}
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		f.ctx = ctx
		d := f.start()
		d.Want()
		<-reached
		cancel()
		close(gate)
		<-d.Done
		require.ErrorIs(t, d.Result(), fs.ErrClosed)
		<-d.Closed
		f.ctx = t.Context()
		require.NoError(t, f.fetch())
		f.has(large)
	}
}
