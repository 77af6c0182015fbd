package syncfs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// full says whether everything is to be tested, however long that takes.
func full() bool { return os.Getenv("SYNCFS_FULL") == "1" }

// eachFault tells a story with a fault at every operation; at one in so many only, if not everything is to be tested.
func eachFault(t *testing.T, s story, on side, kind remoteKind, samples map[faultfs.Fault]int) {
	tell := func(t *testing.T, p *faultfs.Plan) {
		r := newFaulty(t, p, on, s.fresh, kind)
		s.tell(r)
		r.end()
	}
	if full() {
		faultfs.EachIndex(t, tell, slices.Collect(maps.Keys(samples))...)
		return
	}
	for fault, stride := range samples {
		if kind == directly { // there is one more run of everything without it
			stride = 2*stride + 1
		}
		for i, met := stride/2, true; met; i += stride {
			p := new(faultfs.Plan)
			fault.Index = i
			p.Inject(fault)
			ok := t.Run(fmt.Sprintf("%v/%d", fault, i), func(t *testing.T) {
				tell(t, p)
				if t.Failed() {
					t.Logf("the fault hit %v", p.Fired())
				}
			})
			met = ok && len(p.Fired()) > 0
		}
	}
}

// Each story ends as if nothing had happened, whichever operation of the remote fails: before it was made, after it
// was made, or with all that follow.
func TestFaultOfRemote(t *testing.T) {
	for _, s := range stories {
		for _, kind := range []remoteKind{"", refusesToReplace, quick, directly} {
			t.Run(s.name+string(kind), func(t *testing.T) {
				t.Parallel()
				if kind == refusesToReplace && !s.replaces && !full() {
					return // the same as the other
				}
				eachFault(t, s, remoteSide, kind, map[faultfs.Fault]int{
					{}:                                    3,
					{Effect: faultfs.Whole}:               5,
					{Effect: faultfs.Part}:                17,
					{Sticky: true}:                        11,
					{Sticky: true, Effect: faultfs.Whole}: 9,
				})
			})
		}
	}
}

// The same for the local file system.
func TestFaultOfLocal(t *testing.T) {
	for _, s := range stories {
		for _, kind := range []remoteKind{"", directly} {
			t.Run(s.name+string(kind), func(t *testing.T) {
				t.Parallel()
				eachFault(t, s, localSide, kind, map[faultfs.Fault]int{
					{}:                      23,
					{Effect: faultfs.Part}:  61,
					{Effect: faultfs.Whole}: 53,
					{Sticky: true}:          41,
				})
			})
		}
	}
}

// The stories are what they are meant to be: without a fault every call succeeds.
func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := newFaulty(t, new(faultfs.Plan), remoteSide, s.fresh, "")
			s.tell(r)
			require.False(t, r.failed)
			r.end()
		})
	}
}

// What the local file system has done, though it says that it failed, is done.
func TestLocalStepReportedAsFailed(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(s *Fs) error{
		"mkdir":  func(s *Fs) error { return s.Mkdir("new", 0o700) },
		"rename": func(s *Fs) error { return s.Rename("x", "y") },
		"remove": func(s *Fs) error { return s.Remove("x") },
		"fetch":  func(s *Fs) error { return s.Fetch(context.Background(), "z") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, remote := new(faultfs.Plan), aferotest.OS(t.TempDir())
			require.NoError(t, afero.WriteFile(remote, "x", []byte("x"), 0o644))
			require.NoError(t, afero.WriteFile(remote, "z", []byte("z"), 0o644))
			s := newFs(t, remote, faultfs.New(crashfs.New(nil), plan), nil)
			require.NoError(t, s.Fetch(t.Context(), "x"))
			hit := 0
			plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == faultfs.Mkdir || op.Kind == faultfs.MkdirAll || op.Kind == faultfs.Rename {
					hit++
					return errDown
				}
				return err
			})
			require.NoError(t, call(s))
			plan.Heal()
			require.Positive(t, hit)
			view := contents(t, s)
			_, err := s.Push(t.Context())
			require.NoError(t, err)
			require.Empty(t, aferotest.Diff(view, contents(t, remote)))
		})
	}
}
