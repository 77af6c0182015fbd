package syncfs

import (
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A file is truncated at the moment in which its download, which has failed, deletes its temporary file: neither waits
// for the other, and the reader sees what is written from then on.
func TestTruncateWhileDownloadFails(t *testing.T) {
	t.Parallel()
	remote, far, near := aferotest.OS(t.TempDir()), new(faultfs.Plan), new(faultfs.Plan)
	require.NoError(t, afero.WriteFile(remote, "f", []byte(strings.Repeat("0123456789", 100_000)), 0o644))
	truncating := make(chan struct{}) // closed when the truncation is being recorded, which is under the lock
	deleting := make(chan struct{})   // closed when the temporary file is about to be deleted
	var once, begun sync.Once
	var ready atomic.Bool
	near.Before(func(op faultfs.Op) error {
		switch {
		case !ready.Load():
		case op.Kind == faultfs.Remove && strings.HasPrefix(op.Name, "/.syncfs/tmp/"):
			once.Do(func() { close(deleting) })
			<-truncating
		case strings.HasPrefix(op.Name, "/.syncfs/log") && (op.Kind == faultfs.WriteAt || op.Kind == faultfs.Write):
			select {
			case <-deleting:
				begun.Do(func() { close(truncating) })
			default:
			}
		}
		return nil
	})
	reads := 0
	far.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read || op.Kind == faultfs.ReadAt {
			if reads++; reads > 1 {
				return errDown
			}
		}
		return nil
	})
	s, err := New(faultfs.New(remote, far), faultfs.New(crashfs.New(nil), near), trying(nil))
	require.NoError(t, err)
	ready.Store(true)
	reader, err := s.Open("f")
	require.NoError(t, err)
	start := make([]byte, 10)
	_, err = reader.ReadAt(start, 0)
	require.NoError(t, err)
	var second sync.WaitGroup
	second.Go(func() { _, _ = reader.ReadAt(make([]byte, 10), 100_000) }) // has the rest brought
	select {
	case <-deleting:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the download does not fail")
	}

	done := make(chan error, 1)
	go func() {
		f, err := s.OpenFile("f", os.O_RDWR|os.O_TRUNC, 0)
		if err == nil {
			_, err = f.WriteString("written")
		}
		if err == nil {
			err = f.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "truncation and download wait for each other")
	}
	second.Wait()
	got, err := io.ReadAll(io.NewSectionReader(reader, 0, 100))
	require.NoError(t, err)
	require.Equal(t, "written", string(got))
	require.NoError(t, reader.Close())
	require.NoError(t, s.Close())
	closesAll(t, far)
	closesAll(t, near)
}
