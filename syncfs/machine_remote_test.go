package syncfs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// store is a remote in memory with links, all of which lead nowhere: each is a file that holds its target and has a
// mode by which it is known. After each change somebody else looks at all files that are there.
type store struct {
	afero.Fs
	replaces bool // a rename replaces a file

	mu    sync.Mutex      // guards what follows
	whole map[string]bool // texts that a file may have
	known map[int]string  // texts that were ever made, by length
	torn  string          // what was seen that should not have been
}

const linkMode = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// newStore returns an empty store. Nil options of its memory are the default.
func newStore(replaces bool, opts *crashfs.Options) *store {
	return &store{Fs: crashfs.New(opts), replaces: replaces, whole: map[string]bool{}, known: map[int]string{}}
}

// commit allows a text.
func (s *store) commit(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole[text], s.known[len(text)] = true, text
}

// allow allows a text that nobody has made.
func (s *store) allow(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole[text] = true
}

// name notes a text that may not be seen yet.
func (s *store) name(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[len(text)] = text
}

// made says whether a text is one that was made, and not a part of it.
func (s *store) made(text string) bool { return s.named(len(text)) == text }

// named is a text by its length.
func (s *store) named(length int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, ok := s.known[length]; ok {
		return text
	}
	return fmt.Sprintf("unknown text of length %d", length)
}

func (s *store) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.torn
}

// observe looks at what is there after a change.
func (s *store) observe(what string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.tree() {
		if e.typ == 0 && !s.whole[e.text] && s.torn == "" {
			s.torn = fmt.Sprintf("after %s the remote shows %s with %s", what, name, e)
		}
	}
	return err
}

// tree is all that a client sees who does not know of temporary names.
func (s *store) tree() map[string]entry {
	all := map[string]entry{}
	s.walk("", func(name string, e entry) bool {
		if localdir.Reserved(path.Base(name)) {
			return false
		}
		all[name] = e
		return true
	})
	return all
}

// temporary are the names that such a client does not see.
func (s *store) temporary() (names []string) {
	s.walk("", func(name string, _ entry) bool {
		if localdir.Reserved(path.Base(name)) {
			names = append(names, name)
		}
		return true
	})
	return names
}

// parked says whether a push has put something aside.
func (s *store) parked() bool {
	for name := range s.tree() {
		if strings.Contains(name, " (moving ") {
			return true
		}
	}
	return false
}

func (s *store) walk(dir string, visit func(string, entry) bool) {
	infos, err := afero.ReadDir(s.Fs, "/"+dir)
	if err != nil {
		return // it was removed since
	}
	for _, fi := range infos {
		name := path.Join(dir, fi.Name())
		e := entry{typ: fi.Mode().Type(), perm: fi.Mode().Perm(), mtime: fi.ModTime().Unix()}
		if !fi.IsDir() {
			text, err := afero.ReadFile(s.Fs, "/"+name)
			if err != nil {
				continue
			}
			e.text = string(text)
		}
		if fi.Mode()&linkMode == linkMode {
			e.typ, e.perm = fs.ModeSymlink, 0
		}
		if visit(name, e) && fi.IsDir() {
			s.walk(name, visit)
		}
	}
}

type storeInfo struct{ fs.FileInfo }

func (i storeInfo) Mode() fs.FileMode { return fs.ModeSymlink | 0o777 }

func storeMode(fi fs.FileInfo) fs.FileInfo {
	if fi.Mode()&linkMode == linkMode {
		return storeInfo{fi}
	}
	return fi
}

func (s *store) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := s.Fs.Stat(name)
	if err != nil {
		return nil, true, err
	}
	return storeMode(fi), true, nil
}

// nowhere is the error of following a link.
func (s *store) nowhere(op, name string) error {
	if fi, _, err := s.LstatIfPossible(name); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		return &fs.PathError{Op: op, Path: name, Err: syscall.ENOENT}
	}
	return nil
}

func (s *store) Stat(name string) (fs.FileInfo, error) {
	if err := s.nowhere("stat", name); err != nil {
		return nil, err
	}
	return s.Fs.Stat(name)
}

func (s *store) SymlinkIfPossible(target, name string) error {
	err := func() error {
		s.mu.Lock() // nobody sees the file that it is first
		defer s.mu.Unlock()
		f, err := s.Fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.WriteString(target); err != nil {
			return err
		}
		return s.Fs.Chmod(name, linkMode|0o777)
	}()
	return s.observe("symlink "+name, err)
}

func (s *store) ReadlinkIfPossible(name string) (string, error) {
	if s.nowhere("readlink", name) == nil {
		_, err := s.Fs.Stat(name)
		if err == nil {
			err = &fs.PathError{Op: "readlink", Path: name, Err: syscall.EINVAL}
		}
		return "", err
	}
	text, err := afero.ReadFile(s.Fs, name)
	return string(text), err
}

func (s *store) Rename(oldname, newname string) error {
	if _, err := s.Fs.Stat(newname); err == nil && !s.replaces {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: fs.ErrExist}
	}
	return s.observe("rename "+oldname+" "+newname, s.Fs.Rename(oldname, newname))
}

func (s *store) Remove(name string) error { return s.observe("remove "+name, s.Fs.Remove(name)) }

func (s *store) Open(name string) (afero.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

func (s *store) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if err := s.nowhere("open", name); err != nil {
		return nil, err
	}
	f, err := s.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		err = s.observe("open "+name, nil)
	}
	return storeFile{f, s}, err
}

type storeFile struct {
	afero.File
	s *store
}

func (f storeFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.s.observe("write "+f.Name(), err)
}

func (f storeFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	return n, f.s.observe("write "+f.Name(), err)
}

func (f storeFile) Truncate(size int64) error {
	return f.s.observe("truncate "+f.Name(), f.File.Truncate(size))
}

func (f storeFile) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(n)
	for i, fi := range infos {
		infos[i] = storeMode(fi)
	}
	return infos, err
}

// What another client does is whole at once.

func (s *store) serve(name, text string, mtime int64) error {
	s.commit(text)
	temp := "/" + path.Join(path.Dir(name), localdir.Prefix+"other")
	if err := afero.WriteFile(s.Fs, temp, []byte(text), 0o644); err != nil {
		return err
	}
	if mtime != 0 {
		if err := s.Chtimes(temp, unix(mtime), unix(mtime)); err != nil {
			return err
		}
	}
	return s.Fs.Rename(temp, "/"+name)
}

// label is the start of a text, which names it.
func label(text string) string {
	if i := strings.IndexByte(text, '>'); i >= 0 {
		return text[:i+1]
	}
	return text
}
