package mirror

import (
	"bytes"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// large takes several reads to fetch.
var large = bytes.Repeat([]byte("0123456789abcdef"), 10_000)

// fetching is a remote with one file, and a mirror that fetches it.
type fetching struct {
	*testing.T
	remote, local afero.Fs
	m             *FS
}

func newFetching(t *testing.T, over func(afero.Fs) afero.Fs) *fetching {
	f := &fetching{T: t, remote: crashfs.New(nil), local: crashfs.New(nil)}
	require.NoError(t, afero.WriteFile(f.remote, "/file", large, 0o644))
	m, err := Open(over(f.remote), f.local, Options{})
	require.NoError(t, err)
	f.m = m
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return f
}

// counted requires that the bytes in use are those of the copies and parts that are on the disk.
func (f *fetching) counted() {
	f.Helper()
	want, err := aferotest.Used(f.local, localdir.PartialDir, func(name string) bool { return name == "file" })
	require.NoError(f, err)
	require.Equal(f, want, f.m.Stats().UsedBytes)
}

// has requires that the local file is one whole content, or that there is none.
func (f *fetching) has(contents ...[]byte) {
	f.Helper()
	left, err := afero.ReadDir(f.local, localdir.TmpDir)
	require.NoError(f, err)
	require.Empty(f, left, "a temporary file was left")
	got, err := afero.ReadFile(f.local, "/file")
	if len(contents) == 0 {
		require.Error(f, err, "%d bytes", len(got))
		return
	}
	require.NoError(f, err)
	for _, c := range contents {
		if bytes.Equal(c, got) {
			return
		}
	}
	f.Fatalf("the copy has %d bytes of none of the versions", len(got))
}

// A fetch that is cut off at any of its operations leaves nothing, and is made again by the next call.
func TestFetchCut(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		f := newFetching(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, p) })
		if err := f.m.Fetch("file"); err != nil {
			require.ErrorIs(t, err, remote.ErrUnavailable)
			require.ErrorIs(t, err, faultfs.ErrInjected)
			f.has()
			f.counted()
			p.Heal()
			require.NoError(t, f.m.Fetch("file"))
		}
		f.has(large)
		f.counted()
		require.Empty(t, p.OpenFiles())
	})
}

// The same for the local file system.
func TestFetchCutLocally(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		f := &fetching{T: t, remote: crashfs.New(nil), local: crashfs.New(nil)}
		require.NoError(t, afero.WriteFile(f.remote, "/file", large, 0o644))
		open := func() *FS {
			m, err := Open(f.remote, faultfs.New(f.local, p), Options{})
			if err != nil {
				require.ErrorIs(t, err, faultfs.ErrInjected)
				return nil
			}
			return m
		}
		m := open()
		if m != nil {
			if err := m.Fetch("file"); err != nil {
				require.ErrorIs(t, err, faultfs.ErrInjected)
				require.NotErrorIs(t, err, remote.ErrUnavailable)
			}
			f.m = m
			f.counted()
			p.Heal()
			_ = m.Close() // a log that is broken says so again
		}
		p.Heal()
		m = open()
		require.NotNil(t, m)
		require.NoError(t, m.Fetch("file"))
		f.has(large)
		require.NoError(t, m.Close())
		require.Empty(t, p.OpenFiles())
	}, faultfs.Fault{}, faultfs.Fault{Effect: faultfs.Part}, faultfs.Fault{Sticky: true})
}

// changedAt has the file changed before each read whose number (of all that are made) is chosen.
func changedAt(t *testing.T, chosen func(int) bool, change func(remote afero.Fs, times int) []byte) (*fetching, [][]byte) {
	versions := [][]byte{large}
	plan := new(faultfs.Plan)
	f := newFetching(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, plan) })
	reads, times := 0, 0
	plan.Before(func(op faultfs.Op) error {
		if op.Kind != faultfs.Read {
			return nil
		}
		if reads++; chosen(reads) {
			times++
			versions = append(versions, change(f.remote, times))
		}
		return nil
	})
	err := f.m.Fetch("file")
	if err != nil {
		require.ErrorIs(t, err, ErrChanged)
		f.has()
		return f, nil
	}
	return f, versions
}

var changes = map[string]func(remote afero.Fs, times int) []byte{
	"grows": func(remote afero.Fs, times int) []byte {
		text := append(bytes.Clone(large), bytes.Repeat([]byte("+"), times)...)
		_ = afero.WriteFile(remote, "/file", text, 0o644)
		return text
	},
	"shrinks": func(remote afero.Fs, times int) []byte {
		text := large[:len(large)-times]
		_ = afero.WriteFile(remote, "/file", text, 0o644)
		return text
	},
	"is rewritten": func(remote afero.Fs, times int) []byte {
		text := bytes.ReplaceAll(large, []byte{'0'}, []byte{'A' + byte(times)})
		_ = afero.WriteFile(remote, "/file", text, 0o644)
		return text
	},
	"is replaced": func(remote afero.Fs, times int) []byte {
		text := bytes.ReplaceAll(large, []byte{'0'}, []byte{'A' + byte(times)})
		_ = afero.WriteFile(remote, "/other", text, 0o644)
		_ = remote.Rename("/other", "/file")
		return text
	},
}

// A file that changes during its fetch is fetched again: what is kept is one version, whole.
func TestFetchChanged(t *testing.T) {
	t.Parallel()
	for name, change := range changes {
		for at := 1; at <= 6; at++ {
			f, versions := changedAt(t, func(read int) bool { return read == at }, change)
			require.NotNil(t, versions, "%s at read %d: one change is not too many", name, at)
			f.has(versions...)
		}
	}
}

// One that changes all the time is ErrChanged, or, if the version that was opened stays what it was, that one.
func TestFetchChangesAlways(t *testing.T) {
	t.Parallel()
	for name, change := range changes {
		f, versions := changedAt(t, func(int) bool { return true }, change)
		if name == "is replaced" {
			f.has(versions...)
		} else {
			require.Nil(t, versions, name)
		}
	}
}

// How long something is waited for that happens beside the test, and how often it is looked at.
const (
	wait = 10 * time.Second
	tick = time.Millisecond
)
