package localstore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	require.TestingT
	Helper()
}

// rig is a store on a disk that can fail and lose power. Its files are copies, each with a content of its own, which come to
// their names as the mirror's do.
type rig struct {
	t     failer
	disk  *crashfs.Fs
	plan  *faultfs.Plan
	local *localdir.Dir
	s     *Store
	files int
	found []string // temporary names
}

func newRig(t interface {
	failer
	Cleanup(func())
}) *rig {
	r := &rig{t: t, disk: crashfs.New(nil), plan: new(faultfs.Plan)}
	r.open()
	t.Cleanup(r.kill)
	return r
}

// tryOpen opens the store, as a process does that has just been started.
func (r *rig) tryOpen() error {
	local, err := localdir.Open(faultfs.New(r.disk, r.plan))
	if err != nil {
		return err
	}
	recorded, err := ReadDirectory(local)
	var s *Store
	if err == nil {
		s, err = Open(local, recorded, Options{
			Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			Found: func(temp string) { r.found = append(r.found, temp) },
		})
	}
	if err == nil {
		if err = s.Begin("remote"); err != nil {
			err = errors.Join(err, s.Close())
		}
	}
	if err != nil {
		return errors.Join(err, local.Close())
	}
	r.local, r.s = local, s
	return nil
}

func (r *rig) open() { require.NoError(r.t, r.tryOpen()) }

// kill ends the process: nothing that it would have done later is done.
func (r *rig) kill() {
	if r.s == nil {
		return
	}
	r.s.closed = true
	r.s.workers.Wait()
	r.plan.Offline(errors.New("killed"))
	_ = r.s.log.Close()
	_ = r.local.Close()
	r.plan.Heal()
	r.s = nil
}

func (r *rig) restart() {
	r.kill()
	r.open()
}

// loseAlso loses power after a kill: of what was not synced, any part may last.
func (r *rig) losePower(seed uint64) {
	r.kill()
	r.disk = r.disk.CrashRandom(seed)
	r.open()
}

// occupy has a name be fit for other bytes.
func (r *rig) occupy(name string) error {
	if !r.s.Vacated(name) {
		return nil
	}
	recorded := r.s.Vacations()
	if err := r.s.Sync(); err != nil {
		return err
	}
	r.s.Lasting(recorded)
	return nil
}

func (r *rig) at(name string) (dir *tree.Node, base string) {
	path, base := tree.Split(name)
	return r.s.tree.Lookup(path), base
}

// arrive brings a file, as a download does: under a temporary name first.
func (r *rig) arrive(name string) error {
	if err := r.occupy(name); err != nil {
		return err
	}
	r.files++
	text := fmt.Sprintf("%08d", r.files) // all are of one size
	temp := fmt.Sprintf("%s/%d", localdir.TmpDir, r.files)
	info, err := r.write(temp, text, int64(r.files))
	if err != nil {
		return err
	}
	dir, base := r.at(name)
	n := r.s.tree.Discover(dir, base, tree.File, tree.Meta{Size: int64(len(text)), MTime: 1}, 1)
	r.s.tree.Install(n, tree.Copy{Stamp: tree.Stamp(info.Stamp), Hash: sha256.Sum256([]byte(text))}.From(temp))
	if err := r.s.Save(); err != nil {
		return err
	}
	if err := r.s.Sync(); err != nil {
		r.s.tree.BackOut(n)
		return errors.Join(err, r.s.Save())
	}
	err = errNotVacant
	if r.s.Vacant(name, nil) {
		if err = r.s.Rename(temp, name); localdir.Missing(err) {
			err = errors.Join(r.s.MakeParent(name), r.s.Rename(temp, name))
		}
	}
	if err != nil {
		r.s.tree.BackOut(n)
		return errors.Join(err, r.s.Save())
	}
	stamp := tree.Stamp(info.Stamp)
	if info, err := r.local.Lstat(name); err == nil {
		stamp = tree.Stamp(info.Stamp)
	}
	r.s.tree.Installed(n, stamp)
	return r.s.Save()
}

var errNotVacant = fmt.Errorf("%w: something is in its place", faultfs.ErrInjected)

func (r *rig) write(name, text string, mtime int64) (localdir.Info, error) {
	f, err := r.local.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return localdir.Info{}, err
	}
	_, err = f.WriteAt([]byte(text), 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = r.local.Chtimes(name, time.Unix(mtime, 0), time.Unix(mtime, 0))
	}
	info, statErr := f.Stat()
	return info, errors.Join(err, statErr, f.Close())
}

// mkdir makes a directory.
func (r *rig) mkdir(name string) error {
	if err := r.occupy(name); err != nil {
		return err
	}
	dir, base := r.at(name)
	r.s.tree.Discover(dir, base, tree.Dir, tree.Meta{Mode: os.ModeDir | 0o755}, 1)
	return r.s.Save(tree.Action{Kind: tree.MkdirLocal, To: name})
}

// trash takes what has a name out of the view, to be deleted when that is recorded.
func (r *rig) trash(name string) tree.Action {
	if n := r.s.tree.Lookup(name); n != nil { // else it would pass for a file of the user's
		r.s.tree.Unlink(n, 1)
		r.s.tree.Forget(n)
	}
	r.files++
	return tree.Action{Kind: tree.RenameLocal, From: name, To: fmt.Sprintf("%s/%d", localdir.TrashDir, r.files)}
}

func (r *rig) remove(name string) error {
	action := r.trash(name)
	if r.s.NamesChangedBelow(name) {
		r.s.tree.Rollback(false)
		if err := r.s.SyncNames(); err != nil {
			return err
		}
		action = r.trash(name)
	}
	return r.s.Save(action)
}

// move renames a file, over another one if there is one.
func (r *rig) move(from, to string) error {
	if err := r.occupy(to); err != nil {
		return err
	}
	var actions []tree.Action
	if r.s.tree.Lookup(to) != nil || !r.s.Vacant(to, nil) {
		actions = append(actions, r.trash(to))
	}
	n := r.s.tree.Lookup(from)
	dir, base := r.at(to)
	r.s.tree.Move(n, dir, base, tree.Absent, 1)
	r.s.tree.Rebase(n, dir, base) // the remote has it there, too
	return r.s.Save(append(actions, tree.Action{Kind: tree.RenameLocal, From: from, To: to})...)
}

// names are those of the copies in the view.
func (r *rig) names() (names []string) {
	r.s.tree.Nodes(func(n *tree.Node) {
		if n.InView() && n.Content() == tree.Owned {
			names = append(names, n.Path())
		}
	})
	return names
}

// agrees requires that each copy in the view has its own bytes under its name. After the loss of power they may be missing, or
// others than those that were recorded, if that shows.
func (r *rig) agrees(lossy bool) {
	r.t.Helper()
	r.s.tree.Nodes(func(n *tree.Node) {
		if !n.InView() || n.Content() != tree.Owned {
			return
		}
		f, err := r.disk.Open("/" + n.Path())
		if lossy && errors.Is(err, os.ErrNotExist) {
			return
		}
		require.NoError(r.t, err, n.Path())
		defer f.Close()
		text, err := io.ReadAll(f)
		require.NoError(r.t, err)
		info, err := r.local.Lstat(n.Path())
		require.NoError(r.t, err)
		if lossy && tree.Stamp(info.Stamp) != n.Copy().Stamp {
			return // its hash is compared before it is used
		}
		require.Equal(r.t, n.Copy().Hash, tree.Hash(sha256.Sum256(text)), "%s has the bytes %s", n.Path(), text)
	})
	for _, dir := range []string{localdir.TrashDir, localdir.TmpDir} {
		_, err := afero.ReadDir(r.disk, dir)
		require.NoError(r.t, err)
	}
}
