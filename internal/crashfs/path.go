package crashfs

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// longest is the longest name in bytes.
const longest = 255

// split returns the elements of a name; none for the root.
func split(name string) ([]string, error) {
	if name == "" {
		return nil, fs.ErrNotExist
	}
	if strings.ContainsRune(name, 0) {
		return nil, fs.ErrInvalid
	}
	clean := path.Clean("/" + filepath.ToSlash(name))
	if clean == "/" {
		return nil, nil
	}
	elements := strings.Split(clean[1:], "/")
	for _, e := range elements {
		if len(e) > longest {
			return nil, syscall.ENAMETOOLONG
		}
	}
	return elements, nil
}

// base returns the last element of a name; "/" for the root.
func base(name string) string {
	return path.Base(path.Clean("/" + filepath.ToSlash(name)))
}

// find returns the node of a name.
func (f *Fs) find(name string) (*node, error) {
	elements, err := split(name)
	if err != nil {
		return nil, err
	}
	way, err := f.walk(elements)
	if err != nil {
		return nil, err
	}
	return way[len(way)-1], nil
}

// walk returns the nodes on the path from the root to a name.
func (f *Fs) walk(elements []string) ([]*node, error) {
	n := f.root
	way := []*node{n}
	for _, e := range elements {
		if !n.isDir() {
			return nil, syscall.ENOTDIR
		}
		if n = n.entries[e]; n == nil {
			return nil, fs.ErrNotExist
		}
		way = append(way, n)
	}
	return way, nil
}

// place is where a name exists or could be created.
type place struct {
	dir  *node // nil for the root
	name string
	node *node   // nil: the name does not exist
	way  []*node // the nodes from the root to dir
}

// locate returns the place of a name. Its directory must exist.
func (f *Fs) locate(name string) (place, error) {
	elements, err := split(name)
	if err != nil {
		return place{}, err
	}
	if len(elements) == 0 {
		return place{node: f.root}, nil
	}
	last := len(elements) - 1
	way, err := f.walk(elements[:last])
	if err != nil {
		return place{}, err
	}
	dir := way[last]
	if !dir.isDir() {
		return place{}, syscall.ENOTDIR
	}
	return place{dir: dir, name: elements[last], node: dir.entries[elements[last]], way: way}, nil
}

func (p place) isRoot() bool { return p.dir == nil }
