package aferotest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links one name may lead through, as on Linux.
const maxLinks = 40

// resolve returns the real path of name: no directory on the way to its last element is a symbolic link, nor is the
// last element if follow is set. A missing element, or one that is not a directory, stays in the path, so that package
// os returns the error.
func (o osFs) resolve(name string, follow bool) (string, error) {
	if name == "" {
		return "", nil // package os has an error of its own
	}
	at := "/" // the resolved part, as a path below the root
	rest := elements(path.Clean("/" + filepath.ToSlash(name)))
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0]) // ".." leads to the parent: at contains no symbolic links
		rest = rest[1:]
		if len(rest) == 0 && !follow {
			at = next
			break
		}
		target, ok := o.link(next)
		if !ok {
			if fi, err := os.Lstat(o.real(next)); len(rest) > 0 && (err != nil || !fi.IsDir()) {
				return o.real(next) + "/" + strings.Join(rest, "/"), nil
			}
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", syscall.ELOOP
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(elements(target), rest...)
	}
	return o.real(at), nil
}

// link returns the target of the symbolic link at name, a resolved path.
func (o osFs) link(name string) (string, bool) {
	fi, err := os.Lstat(o.real(name))
	if err != nil || fi.Mode().Type() != fs.ModeSymlink {
		return "", false
	}
	target, err := os.Readlink(o.real(name))
	return filepath.ToSlash(target), err == nil
}

func (o osFs) real(name string) string { return filepath.Join(o.root, filepath.FromSlash(name)) }

func elements(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}
