package sftpfs

import (
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/pkg/sftp"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Listings may leave out attributes, or the type in the mode. What is missing is asked for: a directory must not be
// taken for a file, nor a symbolic link for what it leads to.

const typeBits = 0o170000

// typed reports whether fi says what it describes.
func typed(fi fs.FileInfo) bool { return fi.Sys().(*sftp.FileStat).Mode&typeBits != 0 }

// bare reports whether fi, of a listing, lacks attributes. Few files are empty and of 1970.
func bare(fi fs.FileInfo) bool {
	return !typed(fi) || fi.Mode().IsRegular() && fi.Size() == 0 && fi.ModTime().Unix() == 0
}

// lookups is how many entries are asked for at a time.
const lookups = 32

// complete asks for the attributes of the bare entries of dir. It leaves out those that are gone.
func (r remote) complete(dir string, entries []fs.FileInfo) ([]fs.FileInfo, error) {
	var all errgroup.Group
	all.SetLimit(lookups)
	for i, fi := range entries {
		if !bare(fi) {
			continue
		}
		all.Go(func() (err error) {
			entries[i], err = r.lstat(path.Join(dir, fi.Name()))
			if missing(err) {
				entries[i], err = nil, nil
			}
			if declined(err) {
				err = fmt.Errorf("the server does not list what %s is: %w", fi.Name(), err)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(fi fs.FileInfo) bool { return fi == nil }), nil
}

// withType returns the attributes fi of p with the type that they lack. What can be listed is a directory.
func (r remote) withType(p string, fi fs.FileInfo) (fs.FileInfo, error) {
	_, err := r.listBare(p)
	stat := *fi.Sys().(*sftp.FileStat)
	switch {
	case err == nil:
		stat.Mode |= 0o040000
	case refused(err), missing(err):
		stat.Mode |= 0o100000
	default:
		return nil, err
	}
	return wire.NewInfo(fi.Name(), &stat)
}
