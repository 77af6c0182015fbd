package aferotest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
)

// Entry describes one name in a tree.
type Entry struct {
	Type    fs.FileMode // 0 for a file, fs.ModeDir, fs.ModeSymlink
	Perm    fs.FileMode // permission bits; 0 for a symbolic link, whose bits have no meaning
	Size    int64       // of a file
	Content string      // of a file
	Target  string      // of a symbolic link
	ModTime time.Time   // ignored by Diff
}

// Tree reads all of fsys: every name below the root, such as "a/b", and what it is. It does not follow symbolic links.
// It returns an error if a listing and Lstat (or Stat, if there is no Lstat) of a name in it differ, or if a listing
// contains a name twice or an invalid name.
func Tree(fsys afero.Fs) (map[string]Entry, error) {
	tree := make(map[string]Entry)
	return tree, readTree(fsys, "", tree)
}

func readTree(fsys afero.Fs, dir string, tree map[string]Entry) error {
	list, err := afero.ReadDir(fsys, "/"+dir)
	if err != nil {
		return err
	}
	for _, listed := range list {
		name := path.Join(dir, listed.Name())
		if b := listed.Name(); b == "" || b == "." || b == ".." || strings.ContainsAny(b, "/\x00") {
			return fmt.Errorf("listing of %q holds %q", dir, b)
		}
		if _, twice := tree[name]; twice {
			return fmt.Errorf("%q is listed twice", name)
		}
		e, err := readEntry(fsys, name, listed)
		if err != nil {
			return err
		}
		tree[name] = e
		if e.Type == fs.ModeDir {
			if err := readTree(fsys, name, tree); err != nil {
				return err
			}
		}
	}
	return nil
}

func readEntry(fsys afero.Fs, name string, listed fs.FileInfo) (Entry, error) {
	fi, err := lstat(fsys, name)
	if err != nil {
		return Entry{}, fmt.Errorf("%q is listed: %w", name, err)
	}
	if listed.Mode() != fi.Mode() || !fi.IsDir() && listed.Size() != fi.Size() {
		return Entry{}, fmt.Errorf("%q is listed as %v, %d bytes; it is %v, %d bytes",
			name, listed.Mode(), listed.Size(), fi.Mode(), fi.Size())
	}
	e := Entry{Type: fi.Mode().Type(), Perm: fi.Mode().Perm(), ModTime: fi.ModTime()}
	switch e.Type {
	case 0:
		content, err := afero.ReadFile(fsys, "/"+name)
		// The comparison includes permission bits, but not content that they hide.
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return Entry{}, err
		}
		e.Size, e.Content = fi.Size(), string(content)
	case fs.ModeSymlink:
		e.Perm = 0
		if e.Target, err = readlink(fsys, name); err != nil {
			return Entry{}, err
		}
	}
	return e, nil
}

// Diff returns the differences of tree b from tree a, one name per line; "" if they are equal. It ignores modification
// times.
func Diff(a, b map[string]Entry) string {
	var out strings.Builder
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		x, inA := a[name]
		y, inB := b[name]
		x.ModTime, y.ModTime = time.Time{}, time.Time{}
		switch {
		case !inB:
			fmt.Fprintf(&out, "- %s: %v\n", name, x)
		case !inA:
			fmt.Fprintf(&out, "+ %s: %v\n", name, y)
		case x != y:
			fmt.Fprintf(&out, "! %s: %v, want %v\n", name, y, x)
		}
	}
	return out.String()
}

// String describes the entry in one line. Long content is cut off.
func (e Entry) String() string {
	switch e.Type {
	case 0:
		const most = 40
		if len(e.Content) > most {
			return fmt.Sprintf("file %v, %d bytes, %q...", e.Perm, e.Size, e.Content[:most])
		}
		return fmt.Sprintf("file %v, %d bytes, %q", e.Perm, e.Size, e.Content)
	case fs.ModeDir:
		return fmt.Sprintf("directory %v", e.Perm)
	case fs.ModeSymlink:
		return fmt.Sprintf("link to %q", e.Target)
	default:
		return fmt.Sprintf("%v", e.Type)
	}
}

func lstat(fsys afero.Fs, name string) (fs.FileInfo, error) {
	if l, ok := fsys.(afero.Lstater); ok {
		fi, _, err := l.LstatIfPossible(name)
		return fi, err
	}
	return fsys.Stat(name)
}

func readlink(fsys afero.Fs, name string) (string, error) {
	if l, ok := fsys.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(name)
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: afero.ErrNoReadlink}
}

func symlink(fsys afero.Fs, target, name string) error {
	if l, ok := fsys.(afero.Linker); ok {
		return l.SymlinkIfPossible(target, name)
	}
	return &fs.PathError{Op: "symlink", Path: name, Err: afero.ErrNoSymlink}
}
