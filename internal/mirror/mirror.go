package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/memremote"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Always as Options.Revalidate asks the remote at every open.
const Always time.Duration = -1

// Options set up a mirror. The zero value is the default.
type Options struct {
	Revalidate time.Duration // 0: never; Always; else ask when that has passed since the last check
	MaxBytes   int64         // bound on owned bytes kept locally, temporary ones included; 0: none
	Parallel   int           // files fetched at once by Pull; 0: 16
	Logger     *slog.Logger  // nil: silent
	Now        func() time.Time
}

// FS is a mirror, bound to a context. Safe for concurrent use.
type FS struct {
	*state
	ctx    context.Context
	remote afero.Fs // base, bound to ctx
}

// state is what all FS of one mirror share.
type state struct {
	base       afero.Fs
	rootName   string // what the remote calls its root
	namePrefix string // and puts before names below it
	local      *localdir.Dir
	opt        Options
	damage     error

	stop    context.Context // ends at Close
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu       sync.Mutex
	tree     *tree.Tree
	log      *statelog.Log
	owed     [][]byte // records that could not be appended yet
	live     int64    // size of the log after the last compaction
	used     int64    // bytes of owned copies and of fetches under way
	epoch    uint64   // counts what was done on the remote; answers of an earlier one are asked again
	flights  map[tree.ID]*flight
	open     map[tree.ID]*openFile
	openDirs map[tree.ID]int
	writing  map[string]int // names that are being written on the remote
	closed   bool

	unqueued   bool   // nothing is ever pushed from here
	departures uint64 // fetches that were started
	discards   uint64 // files of the user's that were moved to the trash
}

// Open takes a local directory, which must exist, and restores what was recorded there. The error matches
// fs.ErrNotExist if the directory is missing, localdir.ErrLocked if it is in use.
func Open(remote, local afero.Fs, opt Options) (*FS, error) {
	if remote == nil || local == nil {
		return nil, fmt.Errorf("%w: no remote or no local file system given", fs.ErrInvalid)
	}
	if opt.Revalidate < Always || opt.MaxBytes < 0 || opt.Parallel < 0 {
		return nil, fmt.Errorf("%w: negative option", fs.ErrInvalid)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Parallel == 0 {
		opt.Parallel = 16
	}
	if memory, ok := remote.(*afero.MemMapFs); ok {
		remote = memremote.Of(memory)
	}
	dir, err := localdir.Open(local)
	if err != nil {
		return nil, err
	}
	s := &state{
		base: remote, rootName: "/", namePrefix: "/", local: dir, opt: opt,
		flights: map[tree.ID]*flight{}, open: map[tree.ID]*openFile{}, openDirs: map[tree.ID]int{}, writing: map[string]int{},
	}
	if _, ok := remote.(afero.FromIOFS); ok { // io/fs knows no rooted names
		s.rootName, s.namePrefix = ".", ""
	}
	s.stop, s.cancel = context.WithCancel(context.Background())
	m := &FS{state: s, ctx: context.Background(), remote: remote}
	if err := m.restore(); err != nil {
		s.cancel()
		if m.log != nil {
			err = errors.Join(err, m.log.Close())
		}
		return nil, errors.Join(err, dir.Close())
	}
	return m, nil
}

// Unqueued says that nothing will be pushed from m: an edit is only kept, and when it is deleted by hand, the remote's
// file is back. To be called before m is used.
func (m *FS) Unqueued() { m.unqueued = true }

// Damage is what is wrong with the state that was found by Open; nil if nothing is.
func (m *FS) Damage() error { return m.damage }

// Name of the file system, for messages.
func (m *FS) Name() string { return m.base.Name() }

// Context is what the calls of m end with.
func (m *FS) Context() context.Context { return m.ctx }

// Local is the local directory.
func (m *FS) Local() *localdir.Dir { return m.local }

// RemoteFs is the remote, bound to m's context.
func (m *FS) RemoteFs() afero.Fs { return m.remote }

// HasLinks says whether the remote knows symbolic links.
func (m *FS) HasLinks() bool {
	_, ok := m.base.(afero.Linker)
	return ok
}

// Options are those in force.
func (m *FS) Options() Options { return m.opt }

// Now is the time in nanoseconds since 1970.
func (m *FS) Now() int64 { return m.opt.Now().UnixNano() }

// Close ends fetches and releases the local directory. Calls after it fail with fs.ErrClosed.
func (m *FS) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.workers.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.settle()
	return errors.Join(err, m.log.Close(), m.local.Close())
}

// settle appends what is owed.
func (m *FS) settle() error {
	for len(m.owed) > 0 {
		if err := m.log.Append(m.owed[0]); err != nil {
			return err
		}
		m.owed = m.owed[1:]
	}
	return nil
}

// save records what was changed in the tree, then changes the local directory accordingly. If either fails, all is
// as it was.
func (m *FS) save(actions ...tree.Action) error {
	err := m.settle()
	if err == nil {
		m.identify(actions)
		if rec := m.tree.Take(actions); rec != nil {
			err = m.log.Append(rec)
		}
	}
	if err != nil {
		m.tree.Rollback(false)
		return err
	}
	if err := m.act(actions); err != nil {
		m.tree.Rollback(true)
		if rec := m.tree.Take(nil); rec != nil {
			m.owed = append(m.owed, rec)
		}
		m.tree.Commit()
		return errors.Join(err, m.settle())
	}
	m.tree.Commit()
	m.restamp(actions)
	m.compact()
	return nil
}

// restamp takes note that renaming a copy has changed its ctime, and nothing else: it is still the copy. The note
// goes into the next record; without it the hash would tell.
func (m *FS) restamp(actions []tree.Action) {
	for _, a := range actions {
		n := (&View{FS: m}).Lookup(a.To)
		if a.Kind != tree.RenameLocal || n == nil || n.Content != tree.Owned {
			continue
		}
		info, err := m.local.Lstat(a.To)
		if err != nil {
			continue
		}
		stamp, was := stampOf(info), n.Copy.Stamp
		was.CTime = stamp.CTime
		if stamp == was && stamp != n.Copy.Stamp {
			m.tree.Edit(n)
			n.Copy.Stamp = stamp
			m.tree.Touch(n)
		}
	}
}

// identify notes what the actions rename.
func (m *FS) identify(actions []tree.Action) {
	for i, a := range actions {
		if a.Kind != tree.RenameLocal {
			continue
		}
		if info, err := m.local.Lstat(a.From); err == nil {
			actions[i].Ino = info.Stamp.Ino
		}
	}
}

// act makes the actions of a transaction, and records each: it must not be made again on the next start, when
// something else may be there. If one fails, those before it are undone.
func (m *FS) act(actions []tree.Action) error {
	for i, a := range actions {
		if err := m.actOne(a); err != nil {
			for i--; i >= 0; i-- {
				m.undo(actions[i])
			}
			return err
		}
		if done := tree.EncodeDone(i + 1); m.log.Append(done) != nil {
			m.owed = append(m.owed, done)
		}
	}
	return nil
}

func (m *FS) actOne(a tree.Action) error {
	switch a.Kind {
	case tree.RenameLocal:
		err := m.local.Rename(a.From, a.To)
		if errors.Is(err, fs.ErrNotExist) {
			// Bytes that were deleted by hand are missing under any name; or the directory is.
			switch _, statErr := m.local.Lstat(a.From); {
			case statErr == nil:
				if err = m.makeParent(a.To); err == nil {
					err = m.local.Rename(a.From, a.To)
				}
			case missing(statErr):
				err = nil
			default:
				err = statErr
			}
		}
		return err
	case tree.MkdirLocal:
		return m.local.MkdirAll(a.To, 0o777)
	case tree.RmdirLocal:
		info, err := m.local.Lstat(a.From)
		if err == nil && info.IsDir() {
			err = m.local.Remove(a.From)
		}
		if err != nil && !missing(err) && !errors.Is(err, syscall.ENOTEMPTY) { // something of the user's is left
			return err
		}
	}
	return nil
}

func (m *FS) undo(a tree.Action) {
	switch a.Kind {
	case tree.RenameLocal:
		_ = m.local.Rename(a.To, a.From)
	case tree.MkdirLocal:
		_ = m.local.Remove(a.To)
	case tree.RmdirLocal:
		_ = m.local.MkdirAll(a.From, 0o777)
	}
}

func (m *FS) makeParent(name string) error {
	dir, _ := tree.Split(name)
	return m.local.MkdirAll(dir, 0o777)
}

// compact rewrites the log when most of it is history. If that fails, nothing is lost, and it is tried again when the
// log has grown.
func (m *FS) compact() {
	size := m.log.Size()
	if size < 4<<20 || size < 3*m.live {
		return
	}
	if err := m.rewrite(); err != nil {
		m.live = size
		m.opt.Logger.Warn("log not compacted", "err", err)
	}
}

func (m *FS) rewrite() error {
	if err := m.log.Rewrite(m.tree.Snapshot); err != nil {
		return err
	}
	m.live = m.log.Size()
	return nil
}

// SyncLog makes what was recorded before the call survive the loss of power.
func (m *FS) SyncLog() error { return m.log.Sync() }
