package mirror

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Answer is what the remote said about a name.
type Answer struct {
	Known  tree.Answer
	Kind   tree.Kind
	Meta   tree.Meta
	Target string // of a link
	// Err is why the answer is not Exists: an error matching fs.ErrNotExist if it is Absent, else the reason for
	// which nothing is known.
	Err error
	// At is when that was said, if it is not an answer to this call.
	At int64
	// Shown is the content of a file of the user's that hides what the remote has, if that has to be the same to be
	// removed; see [View.Shadow].
	Shown *tree.Hash
}

// listing is what the remote said about a directory.
type listing struct {
	entries map[string]Answer
	err     error
	at      int64 // when it was said, if that was not to this call
}

func metaOf(fi fs.FileInfo) tree.Meta {
	size := fi.Size()
	if size < 0 { // stated as more than there is a number for
		size = math.MaxInt64
	}
	return tree.Meta{Mode: fi.Mode(), Size: size, MTime: fi.ModTime().UnixNano()}
}

func refusal(err error) Answer {
	err = Remote(err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Answer{Known: tree.Absent, Err: err}
	}
	return Answer{Err: err}
}

// RemoteName is the name by which the remote is asked for a path.
func (m *FS) RemoteName(name string) string {
	if name == "." {
		return m.rootName
	}
	return m.namePrefix + name
}

// askable is nil if the remote may be asked about a path.
func (m *FS) askable(name string) error {
	lockorder.MayWait()
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if len(m.RemoteName(name)) > localdir.MaxPath {
		return syscall.ENAMETOOLONG
	}
	return nil
}

// Ask asks the remote about a path. One that is longer than any server takes is syscall.ENAMETOOLONG.
func (m *FS) Ask(name string) Answer {
	if err := m.askable(name); err != nil {
		return Answer{Err: err}
	}
	remoteName := m.RemoteName(name)
	var fi fs.FileInfo
	var err error
	if l, ok := Optional[afero.Lstater](m); ok {
		fi, _, err = l.LstatIfPossible(remoteName)
	} else {
		fi, err = m.remote.Stat(remoteName)
	}
	if err != nil {
		return refusal(err)
	}
	return m.Described(name, fi)
}

// Described is the answer that the description of a path, not followed, is. nil is that there is nothing.
func (m *FS) Described(name string, fi fs.FileInfo) Answer {
	if fi == nil {
		return refusal(fs.ErrNotExist)
	}
	a := Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: metaOf(fi)}
	if a.Kind == tree.Link {
		return m.askTarget(a, m.RemoteName(name))
	}
	return a
}

// askTarget completes the answer about a link.
func (m *FS) askTarget(a Answer, remoteName string) Answer {
	r, ok := Optional[afero.LinkReader](m)
	if !ok {
		return Answer{Err: afero.ErrNoReadlink}
	}
	target, err := r.ReadlinkIfPossible(remoteName)
	if err == nil {
		err = plausibleTarget(target)
	}
	if err != nil {
		return refusal(err)
	}
	a.Target = target
	return a
}

// askList asks the remote for the entries of a directory.
func (m *FS) askList(name string) listing {
	if err := m.askable(name); err != nil {
		return listing{err: err}
	}
	infos, err := m.readDir(m.RemoteName(name))
	if err != nil {
		return listing{err: Remote(err)}
	}
	l := listing{entries: make(map[string]Answer, len(infos))}
	for _, fi := range infos {
		base := fi.Name()
		if localdir.Reserved(base) {
			continue
		}
		if err := plausible(base); err != nil {
			return listing{err: err}
		}
		a := Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: metaOf(fi)}
		if a.Kind == tree.Link {
			a = m.askTarget(a, m.RemoteName(tree.Join(name, base)))
			switch a.Known {
			case tree.Absent: // removed since
				continue
			case tree.Unknown:
				return listing{err: a.Err}
			}
		}
		l.entries[base] = a
	}
	return l
}

// dirReader is what a remote has that reads a directory without opening it.
type dirReader interface {
	ReadDir(name string) ([]fs.FileInfo, error)
}

func (m *FS) readDir(remoteName string) ([]fs.FileInfo, error) {
	if r, ok := Optional[dirReader](m); ok {
		return r.ReadDir(remoteName)
	}
	f, err := m.remote.Open(remoteName)
	if err != nil {
		return nil, err
	}
	infos, err := f.Readdir(-1)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return infos, err
}

// settler is what a remote has whose calls end with a context before they are answered. Settle returns nil once the server
// has answered all such calls that change something, or cannot carry them out any more, or ctx's error.
type settler interface {
	Settle(ctx context.Context) error
}

// AwaitAbandoned returns nil once no call that changes the remote is under way after its context has ended, or ctx's error.
func (m *FS) AwaitAbandoned(ctx context.Context) error {
	if r, ok := m.base.(settler); ok {
		if err := r.Settle(ctx); err != nil {
			return err
		}
	}
	return m.abandoned.Wait(ctx)
}

// AskFollowing asks the remote about what a path leads to.
func (m *FS) AskFollowing(name string) Answer {
	if err := m.askable(name); err != nil {
		return Answer{Err: err}
	}
	fi, err := m.remote.Stat(m.RemoteName(name))
	if err != nil {
		return refusal(err)
	}
	return Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: metaOf(fi)}
}

// dirMaker is what a remote has that says what it has made, or what is there if its error matches fs.ErrExist.
type dirMaker interface {
	MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error)
}

// MakeDir makes a directory on the remote. The answer is what it has made or what is there, followed. The error is that of
// making it.
func (m *FS) MakeDir(name string, perm fs.FileMode) (Answer, error) {
	var fi fs.FileInfo
	var err error
	if r, ok := Optional[dirMaker](m); ok {
		fi, err = r.MakeDir(m.RemoteName(name), perm)
	} else {
		err = m.remote.Mkdir(m.RemoteName(name), perm)
	}
	if err = Remote(err); err != nil && !errors.Is(err, fs.ErrExist) {
		return Answer{}, err
	}
	if fi != nil && fi.Mode()&fs.ModeSymlink == 0 {
		return m.Described(name, fi), err
	}
	return m.AskFollowing(name), err
}

// AskNames asks the remote for the names in a directory, and for those in it that clients of this kind keep for
// themselves.
func (m *FS) AskNames(name string) (names []string, reserved []fs.FileInfo, err error) {
	if err := m.askable(name); err != nil {
		return nil, nil, err
	}
	infos, err := m.readDir(m.RemoteName(name))
	if err != nil {
		return nil, nil, Remote(err)
	}
	for _, fi := range infos {
		base := fi.Name()
		if err := plausible(base); err != nil {
			return nil, nil, err
		}
		if localdir.Reserved(base) {
			reserved = append(reserved, fi)
		} else {
			names = append(names, base)
		}
	}
	slices.Sort(names)
	return names, reserved, nil
}
