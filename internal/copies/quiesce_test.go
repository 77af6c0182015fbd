package copies

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A file whose time this side is about to set is not opened on the remote before that is done: what was read until then would
// count as another version's.
func TestOpenWaitsForAnotherVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, plain, Options{})
		n := r.node("file")
		set, altered := make(chan struct{}), make(chan error)
		go func() {
			altered <- r.set.Alter(t.Context(), func() error {
				<-set
				return r.base.Chtimes("file", time.Unix(1, 0), time.Unix(1, 0))
			}, "file")
		}()
		synctest.Wait()
		opened := make(chan *Stream)
		go func() {
			s, _ := r.set.Open(t.Context(), n, "file", r.expect(n), func(changing bool) bool { return !changing })
			opened <- s
		}()
		synctest.Wait()
		r.locked(func() { require.False(t, r.set.joinable[n.ID].Opened.Happened()) })
		close(set)
		require.NoError(t, <-altered)
		s := <-opened
		require.NotNil(t, s)
		_, err := readAll(s)
		require.NoError(t, err)
		version, _ := s.at.Version()
		require.Equal(t, time.Unix(1, 0).UnixNano(), version.MTime)
		require.NoError(t, s.Close())
		require.Equal(t, 1, r.changed)
	})
}

// A change waits for what is being read of the version before, if that is not much, and for what is being opened.
func TestChangeWaitsForReaders(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rig, context.Context, func() error) error{
		"another version": func(r *rig, ctx context.Context, do func() error) error { return r.set.Alter(ctx, do, "file") },
		"gone":            func(r *rig, ctx context.Context, do func() error) error { return r.set.Quiesce(ctx, do, "file") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				plan := new(faultfs.Plan)
				r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, plan) }, Options{})
				n := r.node("file")
				opening := make(chan struct{})
				plan.Before(func(op faultfs.Op) error {
					if op.Kind == faultfs.Open {
						<-opening
					}
					return nil
				})
				opened := make(chan *Stream)
				go func() {
					s, _ := r.set.Open(t.Context(), n, "file", r.expect(n), func(changing bool) bool { return !changing })
					opened <- s
				}()
				s := <-opened
				require.NotNil(t, s, "it is sure that the remote will open the file")
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				require.ErrorIs(t, change(r, ended, nil), context.Canceled)

				made := make(chan error)
				go func() {
					made <- change(r, t.Context(), func() error { return r.base.Remove("file") })
				}()
				synctest.Wait()
				require.True(t, exists(r.base, "/file"), "it waits")
				close(opening)
				require.NoError(t, <-made)
				got, err := readAll(s)
				require.NoError(t, err)
				require.Equal(t, large, got)
				require.NoError(t, s.Close())
			})
		})
	}
}

func exists(base afero.Fs, name string) bool {
	_, err := base.Stat(name)
	return err == nil
}

// What is not concerned is not waited for, and the error of a change is its own.
func TestChangeOfAnotherFile(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := newRig(t, g.over, Options{})
	defer g.release()
	s := r.stream(r.node("file"))
	failed := errors.New("failed")
	require.Equal(t, failed, r.set.Alter(t.Context(), func() error { return failed }, "other"))
	require.Equal(t, failed, r.set.Quiesce(t.Context(), func() error { return failed }, "other", "dir"))
	g.release()
	require.NoError(t, s.Close())
}

// While a call holds changes back, those under way go on, and new ones wait for the last call, or for the end of their context.
func TestChangeWaitsForStillness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, plain, Options{})
		began := 0
		goOn, ended := make(chan struct{}), make(chan error, 1)
		change := func(ctx context.Context) {
			ended <- r.set.Quiesce(ctx, func() error {
				began++
				<-goOn
				return nil
			})
		}
		go change(t.Context())
		synctest.Wait()
		one, other := Stillness{Set: r.set}, Stillness{Set: r.set}
		one.Hold(true)
		other.Hold(true)
		other.Hold(true)
		goOn <- struct{}{}
		require.NoError(t, <-ended)
		ctx, cancel := context.WithCancel(t.Context())
		go change(ctx)
		other.Hold(false)
		synctest.Wait()
		require.Equal(t, 1, began)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		go change(t.Context())
		synctest.Wait()
		require.Equal(t, 1, began)
		one.Hold(false)
		goOn <- struct{}{}
		require.NoError(t, <-ended)
		require.Equal(t, 2, began)
	})
}
