package statelog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const logName = localdir.StateDir + "/log"

func openDir(t testing.TB, fsys afero.Fs) *localdir.Dir {
	t.Helper()
	d, err := localdir.Open(fsys)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func memoryDir(t testing.TB) *localdir.Dir { return openDir(t, afero.NewMemMapFs()) }

func realDir(t testing.TB) *localdir.Dir {
	return openDir(t, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()))
}

// reopen opens the log of d and returns what it holds.
func reopen(t require.TestingT, d *localdir.Dir) (l *Log, damage *Damage, records []string) {
	l, damage, err := Open(d, logName, func(p []byte) error {
		records = append(records, string(p))
		return nil
	})
	require.NoError(t, err)
	return l, damage, records
}

// contents opens the log, which must be whole, and closes it.
func contents(t require.TestingT, d *localdir.Dir) []string {
	l, damage, records := reopen(t, d)
	require.Nil(t, damage)
	require.NoError(t, l.Close())
	return records
}

// drop ends the use of l as the death of the process would.
func drop(l *Log) { l.file.Close() }

func appendAll(t require.TestingT, l *Log, records ...string) {
	for _, r := range records {
		require.NoError(t, l.Append([]byte(r)))
	}
}

// encode is a whole log as bytes.
func encode(records ...string) []byte {
	b := header()
	for _, r := range records {
		b = appendRecord(b, []byte(r))
	}
	return b
}

func put(t require.TestingT, d *localdir.Dir, name string, b []byte) {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	require.NoError(t, err)
	_, err = f.WriteAt(b, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func get(t require.TestingT, d *localdir.Dir, name string) []byte {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
	require.NoError(t, err)
	return b
}

// files lists the log and what stands beside it.
func files(t require.TestingT, d *localdir.Dir) (names []string) {
	infos, err := d.ReadDir(localdir.StateDir)
	require.NoError(t, err)
	for _, info := range infos {
		if info.IsRegular() && info.Name != "lock" {
			names = append(names, info.Name)
		}
	}
	return names
}

func numbered(n int) []string {
	records := make([]string, n)
	for i := range records {
		records[i] = fmt.Sprintf("record %d", i)
	}
	return records
}

func values(records []string) func(func([]byte) bool) {
	buf := make([]byte, 0, 64)
	return func(yield func([]byte) bool) {
		for r := range slices.Values(records) {
			buf = append(buf[:0], r...) // the same bytes for each, as Rewrite allows
			if !yield(buf) {
				return
			}
		}
	}
}

var errInjected = errors.New("injected")

// faultyFs lets calls that change something fail. A write that fails has written half.
type faultyFs struct {
	afero.Fs
	mu    sync.Mutex
	fault func(op string) error // nil: none
}

func (f *faultyFs) set(fault func(op string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *faultyFs) check(op string) error {
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()
	if fault == nil {
		return nil
	}
	return fault(op)
}

func (f *faultyFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.check("create"); err != nil {
			return nil, err
		}
	}
	file, err := f.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faultyFs) Open(name string) (afero.File, error) {
	file, err := f.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faultyFs) Rename(oldname, newname string) error {
	if err := f.check("rename"); err != nil {
		return err
	}
	return f.Fs.Rename(oldname, newname)
}

func (f *faultyFs) Remove(name string) error {
	if err := f.check("remove"); err != nil {
		return err
	}
	return f.Fs.Remove(name)
}

type faultyFile struct {
	afero.File
	fs *faultyFs
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.check("read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.check("write"); err != nil {
		n, _ := f.File.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.check("truncate"); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) Sync() error {
	op := "sync"
	if fi, err := f.File.Stat(); err == nil && fi.IsDir() {
		op = "syncdir"
	}
	if err := f.fs.check(op); err != nil {
		return err
	}
	return f.File.Sync()
}
