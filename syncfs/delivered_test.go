package syncfs

import (
	"fmt"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// delivered is a content of which a lost connection lets only a part arrive.
const delivered = "the content that is delivered"

// loseDelivery lets the connection be lost after the first bytes of the next delivery.
func (r *rig) loseDelivery(sent int) {
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Write && !localdir.Reserved(path.Base(op.Name)) {
			f, err := r.remote.OpenFile(op.Name, os.O_WRONLY, 0)
			require.NoError(r, err)
			_, err = f.WriteString(delivered[:sent])
			require.NoError(r, err)
			require.NoError(r, f.Close())
			r.down()
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
}

// afterADelivery is what a program may do to a file that Push could not deliver.
var afterADelivery = map[string]func(r *rig){
	"nothing":      func(*rig) {},
	"written":      func(r *rig) { r.write("x:anew") },
	"written long": func(r *rig) { r.write("x:" + strings.Repeat("anew", 20)) },
	"appended":     func(r *rig) { r.append("x", " and more") },
	"removed":      func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
	"renamed":      func(r *rig) { require.NoError(r, r.fs.Rename("x", "moved")) },
	"renamed over": func(r *rig) { r.write("temp"); require.NoError(r, r.fs.Rename("temp", "x")) },
	"replacing":    func(r *rig) { require.NoError(r, r.fs.Rename("x", "other")) },
	"replacing a new one": func(r *rig) {
		r.write("temp")
		require.NoError(r, r.fs.Rename("temp", "other"))
		require.NoError(r, r.fs.Rename("x", "other"))
	},
	"swapped": func(r *rig) {
		for _, names := range [][2]string{{"x", "temp"}, {"other", "x"}, {"temp", "other"}} {
			require.NoError(r, r.fs.Rename(names[0], names[1]))
		}
	},
}

// A delivery may fail at any request, also one after another in doubt, which removes the file first. The next Push goes on
// from what the remote has then.
func TestDeliveryFails(t *testing.T) {
	t.Parallel()
	for change, make := range afterADelivery {
		for failure, fail := range map[string]func(r *rig) error{
			"refused": func(*rig) error { return syscall.EIO },
			"lost":    func(r *rig) error { r.down(); return errDown },
		} {
			for _, doubt := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, doubt %v", change, failure, doubt), func(t *testing.T) {
					t.Parallel()
					for at, failed := int64(0), true; failed; at++ {
						r := newRig(t, direct)
						r.serve("other")
						if at%3 > 0 {
							r.serve("x:old")
							r.fetch("x")
						}
						r.write("x:" + delivered)
						require.NoError(r, r.fs.Chtimes("x", time.Time{}, time.Unix(1e9, 123456789))) // which Push has to set
						if doubt {
							r.loseDelivery(5)
						}
						var requests atomic.Int64
						r.plan.Before(func(faultfs.Op) error {
							if requests.Add(1) == at+1 {
								return fail(r)
							}
							return nil
						})
						_, _ = r.push()
						failed = requests.Load() > at
						r.plan.Heal()
						make(r)
						if at%2 == 0 {
							r.restart()
						}
						r.pushes()
						r.write("x:again", "other:again")
						r.pushes()
					}
				})
			}
		}
	}
}

// A part of a file that a lost connection has left is replaced, removed or moved, whatever the program does to the file
// before the next Push. It is no conflict.
func TestPartOfDeliveryAfterALocalChange(t *testing.T) {
	t.Parallel()
	for change, make := range afterADelivery {
		for _, old := range []string{"", "x:old", "x:" + strings.Repeat("old", 30)} {
			t.Run(fmt.Sprintf("%s over %.5q", change, old), func(t *testing.T) {
				t.Parallel()
				for sent := 0; sent <= len(delivered); sent += 1 + sent/4 {
					for _, restart := range []bool{false, true} {
						if !full() && restart == (sent%2 == 0) {
							continue
						}
						r := newRig(t, direct)
						r.serve("other")
						if old != "" {
							r.serve(old)
							r.fetch("x")
						}
						r.write("x:" + delivered)
						r.loseDelivery(sent)
						make(r)
						if restart {
							r.restart()
						}
						r.pushes()
						r.pushes()
					}
				}
			})
		}
	}
}

// A file that the program writes in place while it is delivered leaves at most a part of what it was, whatever happens to
// the connection and to the file. That is no conflict, and the next Push sends what the program sees.
func TestFileWrittenWhileDelivered(t *testing.T) {
	t.Parallel()
	content := strings.Repeat(delivered, 20)
	for then, change := range map[string]func(r *rig){
		"nothing": func(*rig) {},
		"removed": func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
		"renamed": func(r *rig) { require.NoError(r, r.fs.Rename("x", "moved")) },
		"written": func(r *rig) { r.write("x:" + strings.Repeat("anew", 200)) },
	} {
		for _, old := range []string{"", "x:old"} {
			for lost, kind := range map[string]faultfs.Kind{"": "", "written": faultfs.Write, "closed": faultfs.Close} {
				t.Run(fmt.Sprintf("%s over %q, connection lost before it is %s", then, old, lost), func(t *testing.T) {
					t.Parallel()
					for at := 0; at <= len(content); at += 1 + at/2 {
						r := newRig(t, direct)
						if old != "" {
							r.serve(old)
							r.fetch("x")
						}
						r.write("x:" + content)
						opened := false
						r.plan.Before(func(op faultfs.Op) error {
							if op.Flag&os.O_WRONLY != 0 && !opened {
								opened = true
								f, err := r.fs.OpenFile("x", os.O_WRONLY, 0)
								require.NoError(t, err)
								_, err = f.WriteAt([]byte("IN PLACE"), int64(at))
								require.NoError(t, err)
								require.NoError(t, f.Close())
							}
							if opened && op.Kind == kind {
								r.down()
								return errDown
							}
							return nil
						})
						_, err := r.push()
						if lost != "" {
							require.Error(t, err)
						}
						sent, err := afero.ReadFile(r.remote, "/x")
						if err == nil && string(sent) != "old" {
							require.True(t, strings.HasPrefix(content, string(sent)), "%d: %q", at, sent)
						}
						r.plan.Heal()
						change(r)
						if at%2 == 0 {
							r.restart()
						}
						r.pushes()
						r.pushes()
					}
				})
			}
		}
	}
}

// What another client has put in the place of a file since a delivery of it was interrupted is no part of that, also if it
// is shorter, and stays.
func TestOtherFileInPlaceOfADelivery(t *testing.T) {
	t.Parallel()
	for _, theirs := range []string{"theirs", delivered[:15] + "ANOTHER", delivered[1:]} {
		r := newRig(t, direct)
		r.serve("x:old")
		r.fetch("x")
		r.write("x:" + delivered)
		r.loseDelivery(10)
		r.serve("x:" + theirs)
		r.write("x:anew")
		r.fails(ErrConflict)
		r.has(r.served(), "x:"+theirs)
	}
}

// A delivery whose completion could not be recorded is left as it is: a removal would pass for the server having taken it.
func TestCompletionOfDeliveryNotRecorded(t *testing.T) {
	t.Parallel()
	for at := range 2 {
		near := new(faultfs.Plan)
		r := &rig{TB: t, remote: realDir(t), plan: new(faultfs.Plan), local: realDir(t), opts: direct}
		under := r.local
		r.local = faultfs.New(under, near)
		r.start()
		t.Cleanup(r.end)
		r.write("x:" + delivered)
		r.plan.After(func(op faultfs.Op, err error) error {

			if op.Kind == faultfs.Write {
				seen := 0
				near.After(func(op faultfs.Op, err error) error {
					if strings.HasPrefix(op.Name, "/.syncfs/log") && (op.Kind == faultfs.WriteAt || op.Kind == faultfs.Sync) {
						if seen++; seen > at {
							return errDown
						}
					}
					return err
				})
			}
			return err
		})
		_, err := r.push()
		require.ErrorIs(t, err, errDown)
		r.plan.Heal()
		near.Heal()
		_ = r.fs.Close()
		r.start()
		r.pushes()
		r.has(r.served(), "x:"+delivered)
	}
}

// A delivery that ends while the file is written, or after it was closed, gets its mode and time with the next Push.
func TestAttributesAfterADeliveryInDoubt(t *testing.T) {
	t.Parallel()
	for _, old := range []string{"", "x:old"} {
		for at, restart := range map[faultfs.Kind]bool{faultfs.Open: true, faultfs.Write: false, faultfs.Close: true} {
			r := newRig(t, direct)
			if old != "" {
				r.serve(old)
				r.fetch("x")
				require.NoError(t, r.remote.Chmod("x", 0o700))
				require.NoError(t, r.fs.Invalidate("x"))
			}
			f, err := r.fs.OpenFile("x", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
			require.NoError(t, err)
			_, err = f.WriteString(delivered)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			want, err := r.fs.Stat("x")
			require.NoError(t, err)
			r.plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == at && op.Name == "/x" {
					require.NoError(t, r.remote.Chmod("x", 0o644)) // as if it was made anew
					r.down()
				}
				return err
			})
			r.fails(ErrUnavailable)
			r.plan.Heal()
			if restart {
				r.restart()
			}
			r.pushes()
			got, err := r.remote.Stat("x")
			require.NoError(t, err)
			require.Equal(t, want.Mode(), got.Mode())
			require.Equal(t, want.ModTime().Unix(), got.ModTime().Unix())
		}
	}
}
