package remote

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// askable returns nil if the remote may be asked about a path.
func (r *Remote) askable(name string) error {
	lockorder.MayWait()
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if len(r.Name(name)) > localdir.MaxPath {
		return syscall.ENAMETOOLONG
	}
	return nil
}

// Ask asks the remote about a path, without following a symbolic link. For a path that is longer than any server
// accepts, the error is syscall.ENAMETOOLONG.
func (r *Remote) Ask(name string) Answer {
	if err := r.askable(name); err != nil {
		return Answer{Err: err}
	}
	remoteName := r.Name(name)
	var fi fs.FileInfo
	var err error
	if l, ok := Optional[afero.Lstater](r); ok {
		fi, _, err = l.LstatIfPossible(remoteName)
	} else {
		fi, err = r.fs.Stat(remoteName)
	}
	if err != nil {
		return refusal(err)
	}
	return r.Described(name, fi)
}

// Described turns the description of a path, whose symbolic link was not followed, into an answer. nil means that it is
// absent.
func (r *Remote) Described(name string, fi fs.FileInfo) Answer {
	if fi == nil {
		return refusal(fs.ErrNotExist)
	}
	a := Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: MetaOf(fi)}
	if a.Kind == tree.Link {
		return r.askTarget(a, r.Name(name))
	}
	return a
}

// askTarget completes the answer about a symbolic link.
func (r *Remote) askTarget(a Answer, remoteName string) Answer {
	reader, ok := Optional[afero.LinkReader](r)
	if !ok {
		return Answer{Err: afero.ErrNoReadlink}
	}
	target, err := reader.ReadlinkIfPossible(remoteName)
	if err == nil {
		err = plausibleTarget(target)
	}
	if err != nil {
		return refusal(err)
	}
	a.Target = target
	return a
}

// List asks the remote for the entries of a directory.
func (r *Remote) List(name string) Listing {
	if err := r.askable(name); err != nil {
		return Listing{Err: err}
	}
	infos, err := r.readDir(r.Name(name))
	if err != nil {
		return Listing{Err: Error(err)}
	}
	l := Listing{Entries: make(map[string]Answer, len(infos))}
	for _, fi := range infos {
		base := fi.Name()
		if localdir.Reserved(base) {
			continue
		}
		if err := plausible(base); err != nil {
			return Listing{Err: err}
		}
		a := Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: MetaOf(fi)}
		if a.Kind == tree.Link {
			a = r.askTarget(a, r.Name(tree.Join(name, base)))
			switch a.Known {
			case tree.Absent: // removed since
				continue
			case tree.Unknown:
				return Listing{Err: a.Err}
			}
		}
		l.Entries[base] = a
	}
	return l
}

func (r *Remote) readDir(name string) ([]fs.FileInfo, error) {
	if reader, ok := Optional[contract.DirReader](r); ok {
		return reader.ReadDir(name)
	}
	f, err := r.fs.Open(name)
	if err != nil {
		return nil, err
	}
	infos, err := f.Readdir(-1)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return infos, err
}

// AskFollowing asks the remote about a path, and follows symbolic links.
func (r *Remote) AskFollowing(name string) Answer {
	if err := r.askable(name); err != nil {
		return Answer{Err: err}
	}
	fi, err := r.fs.Stat(r.Name(name))
	if err != nil {
		return refusal(err)
	}
	return Answer{Known: tree.Exists, Kind: tree.KindOf(fi.Mode()), Meta: MetaOf(fi)}
}

// MakeDir makes a directory on the remote. The answer describes what was made or exists, with symbolic links followed.
// The error is that of making it.
func (r *Remote) MakeDir(name string, perm fs.FileMode) (Answer, error) {
	var fi fs.FileInfo
	var err error
	if maker, ok := Optional[contract.DirMaker](r); ok {
		fi, err = maker.MakeDir(r.Name(name), perm)
	} else {
		err = r.fs.Mkdir(r.Name(name), perm)
	}
	if err = Error(err); err != nil && !errors.Is(err, fs.ErrExist) {
		return Answer{}, err
	}
	if fi != nil && fi.Mode()&fs.ModeSymlink == 0 {
		return r.Described(name, fi), err
	}
	return r.AskFollowing(name), err
}

// AskNames asks the remote for the names in a directory. It returns the reserved names, which clients of this kind use
// for themselves, separately.
func (r *Remote) AskNames(name string) (names []string, reserved []fs.FileInfo, err error) {
	if err := r.askable(name); err != nil {
		return nil, nil, err
	}
	infos, err := r.readDir(r.Name(name))
	if err != nil {
		return nil, nil, Error(err)
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
