package syncfs

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const block = defaultBlock

// bulk is a content of several blocks.
func bulk(seed byte, blocks float64) string {
	b := make([]byte, int(blocks*block))
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return string(b)
}

// cutAfter has the link fail for good once n bytes of content have been written.
func (r *rig) cutAfter(n int64) {
	start := r.plan.BytesWritten()
	var cut atomic.Bool
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Write && r.plan.BytesWritten()-start >= n {
			cut.Store(true)
		}
		if cut.Load() {
			return errDown
		}
		return nil
	})
}

// sends pushes, and returns how many bytes of content that wrote.
func (r *rig) sends() int64 {
	r.Helper()
	start := r.plan.BytesWritten()
	r.pushes()
	return r.plan.BytesWritten() - start
}

func (r *rig) parts() (names []string) {
	r.Helper()
	infos, err := afero.ReadDir(r.remote, "/")
	require.NoError(r, err)
	for _, fi := range infos {
		if strings.HasPrefix(fi.Name(), localdir.Prefix) {
			names = append(names, fi.Name())
		}
	}
	return names
}

func (r *rig) holds(name, content string) {
	r.Helper()
	got, err := afero.ReadFile(r.remote, name)
	require.NoError(r, err)
	require.True(r, content == string(got), "%s holds something else", name)
}

// An upload goes on where it was cut off, if nothing has changed that it stands on.
func TestUploadGoesOn(t *testing.T) {
	t.Parallel()
	content, other := bulk(1, 4.5), bulk(2, 4.5)
	for name, c := range map[string]struct {
		between func(r *rig)
		want    string
		sent    float64 // blocks, with the second push
	}{
		"at once":           {func(*rig) {}, content, 2.5},
		"after a restart":   {func(r *rig) { r.restart() }, content, 2.5},
		"renamed meanwhile": {func(r *rig) { require.NoError(r, r.fs.Rename("f", "g")) }, content, 2.5},
		"written meanwhile": {func(r *rig) { r.write("f:" + other) }, other, 4.5},
		"appended to":       {func(r *rig) { r.append("f", "+") }, content + "+", 4.5},
		"the temporary file is cut": {func(r *rig) {
			f, err := r.remote.OpenFile(r.parts()[0], 1, 0)
			require.NoError(r, err)
			require.NoError(r, f.Truncate(block))
			require.NoError(r, f.Close())
		}, content, 4.5},
		"the temporary file has grown": {func(r *rig) {
			f, err := r.remote.OpenFile(r.parts()[0], 1, 0)
			require.NoError(r, err)
			require.NoError(r, f.Truncate(5*block))
			require.NoError(r, f.Close())
		}, content, 4.5},
		"the temporary file is gone": {func(r *rig) { require.NoError(r, r.remote.Remove(r.parts()[0])) }, content, 4.5},
		"the temporary file is a directory": {func(r *rig) {
			part := r.parts()[0]
			require.NoError(r, r.remote.Remove(part))
			require.NoError(r, r.remote.Mkdir(part, 0o755))
		}, content, 4.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.write("f:" + content)
			r.cutAfter(2.25 * block)
			report := r.fails(ErrUnavailable)
			require.Equal(t, 1, report.Failed)
			r.plan.Heal()
			require.Len(t, r.parts(), 1)
			c.between(r)
			sent := r.sends()
			require.LessOrEqual(t, sent, int64(c.sent*block)+1)
			require.GreaterOrEqual(t, sent, int64(c.sent*block))
			target := "f"
			if name == "renamed meanwhile" {
				target = "g"
			}
			r.holds(target, c.want)
			require.Empty(t, r.parts())
			require.Zero(t, r.sends())
		})
	}
}

// Without a new Push too, and as far as it gets: a link that is lost again and again costs no more than what was under
// way.
func TestUploadGetsThereByPieces(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, &Options{RetryFor: time.Second, Verify: true})
		content := bulk(1, 20)
		r.write("f:" + content)
		last := int64(0)
		r.plan.Before(func(op faultfs.Op) error {
			if written := r.plan.BytesWritten(); op.Kind == faultfs.Write && written-last > 1.5*block {
				last = written
				return errDown
			}
			return nil
		})
		report := r.pushes()
		r.holds("f", content)
		require.Len(t, report.Results, 1)
		require.Greater(t, report.Results[0].Attempts, 10)
		require.Equal(t, int64(20*block), report.Results[0].Resumed+report.Results[0].Bytes)
		require.LessOrEqual(t, r.plan.BytesWritten(), int64(32*block))
	})
}

// An upload that is whole and was not published is not sent again.
func TestUploadThatIsWholeIsNotSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.write("f:some content")
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	r.restart()
	require.Zero(t, r.sends())
	r.holds("f", "some content")
	require.Empty(t, r.parts())
}

// A cancelled Push leaves what it has sent for the next one.
func TestCancelledUploadGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	content := bulk(1, 3.5)
	r.write("f:" + content)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Write && r.plan.BytesWritten() > 1.5*block {
			cancel()
		}
		return err
	})
	_, err := r.fs.Push(ctx)
	require.ErrorIs(t, err, context.Canceled)
	r.plan.Heal()
	require.LessOrEqual(t, r.sends(), int64(2.5*block))
	r.holds("f", content)
	require.Empty(t, r.parts())
}

// A temporary file whose upload is given up is removed by the next Push.
func TestUploadThatIsGivenUpIsSwept(t *testing.T) {
	t.Parallel()
	for name, giveUp := range map[string]func(r *rig){
		"discarded": func(r *rig) { require.NoError(r, r.fs.Discard()) },
		"removed":   func(r *rig) { require.NoError(r, r.fs.Remove("f")) },
		"moved": func(r *rig) {
			require.NoError(r, r.fs.Mkdir("d", 0o755))
			require.NoError(r, r.fs.Rename("f", "d/f"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.write("f:" + bulk(1, 2.5))
			r.cutAfter(1.5 * block)
			r.fails(ErrUnavailable)
			r.plan.Heal()
			require.Len(t, r.parts(), 1)
			giveUp(r)
			r.pushes()
			require.Empty(t, r.parts())
		})
	}
}

// Others' temporary files are left alone.
func TestForeignTemporaryFilesStay(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve(".syncfs-0123456789abcdef.part:theirs")
	r.write("f")
	_, err := r.push()
	require.NoError(t, err)
	require.Equal(t, []string{".syncfs-0123456789abcdef.part"}, r.parts())
}

// flipping changes a byte of what is written to temporary files, a number of times.
type flipping struct {
	afero.Fs
	afero.Symlinker
	times *atomic.Int32
}

func (f flipping) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	file, err := f.Fs.OpenFile(name, flag, perm)
	if err != nil || flag == 0 {
		return file, err
	}
	return flippingFile{file, f.times}, nil
}

type flippingFile struct {
	afero.File
	times *atomic.Int32
}

func (f flippingFile) Write(p []byte) (int, error) {
	if f.times.Add(-1) >= 0 {
		p = bytes.Clone(p)
		p[len(p)/2] ^= 1
	}
	return f.File.Write(p)
}

func TestVerifyFindsWhatALengthDoesNot(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, c := range []struct {
			times  int32
			verify bool
			want   error
		}{{1, true, nil}, {1 << 20, true, errNotVerified}, {0, true, nil}, {1, false, nil}} {
			var times atomic.Int32
			times.Store(c.times)
			r := newRig(t, &Options{Verify: c.verify, RetryFor: time.Second})
			require.NoError(t, r.fs.Close())
			r.remote = flipping{r.remote, r.remote.(afero.Symlinker), &times}
			r.start()
			r.write("f:content")
			_, err := r.push()
			require.ErrorIs(t, err, c.want)
			require.Empty(t, r.parts())
			if c.want != nil {
				r.has(r.served())
				r.queued("put f")
				continue
			}
			got, err := afero.ReadFile(r.remote, "f")
			require.NoError(t, err)
			require.Equal(t, c.verify, string(got) == "content", "the test must be able to fail")
		}
	})
}

func TestSourceProvesWhatArrived(t *testing.T) {
	t.Parallel()
	content := bulk(1, 3.5)
	arrived := int64(0)
	var marks []int64
	h, err := hashOf(t.Context(), strings.NewReader(content), 0)
	require.NoError(t, err)
	src := &source{ctx: t.Context(), f: strings.NewReader(content), size: int64(len(content)), hash: h, block: block,
		arrived: func() int64 { return arrived }, proven: func(m mark) { marks = append(marks, m.at) }}
	p := make([]byte, 100_000)
	for {
		n, err := src.Read(p)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		arrived = max(0, src.off-int64(n)-block/2) // late
	}
	require.Equal(t, []int64{block, 2 * block}, marks)
	arrived = src.off
	src.prove()
	require.Equal(t, []int64{block, 2 * block, 3 * block}, marks)
	whole, err := hashOf(t.Context(), strings.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	require.Equal(t, whole.Sum(nil), h.Sum(nil))
}
