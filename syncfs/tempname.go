package syncfs

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// tempPath returns a new path on the remote for the temporary file of an upload to target.
func (s *Fs) tempPath(target string) (string, error) {
	id := hex.EncodeToString(random(8))
	if s.tempName == nil {
		dir, _ := tree.Split(target)
		return tree.Join(dir, localdir.Prefix+id+".part"), nil
	}
	name := s.tempName(target, id)
	clean, err := mirror.Clean(name)
	if err != nil || !strings.Contains(path.Base(clean), id) || localdir.Reserved(path.Base(clean)) {
		return "", fmt.Errorf("%w: Options.TempName(%q, %q) returned %q", fs.ErrInvalid, target, id, name)
	}
	return clean, nil
}

// temporary records a temporary file that is about to be made on the remote, for a later push to remove.
func temporary(v *mirror.View, name string) (*tree.Node, error) {
	up, base := tree.Split(name)
	dir := dirOf(v, up)
	if dir == nil || !dir.HasBase() || dir.OnRemote(base) != nil {
		return nil, fmt.Errorf("%w: its directory, or that of its temporary file, was removed meanwhile", ErrBusy)
	}
	n := v.Tree().Hide(dir, base, tree.File, tree.Unknown, tree.Meta{}, v.Now())
	n.Temp = true
	return n, nil
}

// dirOf returns the directory that the remote has, or may have, at a path; nil if the tree has something else on the
// way.
func dirOf(v *mirror.View, name string) *tree.Node {
	dir := v.Tree().Root()
	if name == "." {
		return dir
	}
	for _, prefix := range prefixes(name) {
		_, base := tree.Split(prefix)
		kid := dir.OnRemote(base)
		if kid == nil && dir.Kid(base) == nil {
			kid = v.Tree().Discover(dir, base, tree.Dir, tree.Meta{}, 0)
		}
		if kid == nil || kid.Kind != tree.Dir {
			return nil
		}
		dir = kid
	}
	return dir
}

// errNoTempDir: Options.TempName has chosen a directory that the remote does not have.
var errNoTempDir = errors.New("the directory of the temporary file is missing: see syncfs.Options.TempName")

// missingDir returns the error for a temporary file that could not be made because something is missing: err, if that is
// the directory of the target, too.
func (s *Fs) missingDir(p *part, err error) error {
	dir, _ := tree.Split(p.path)
	if up, _ := tree.Split(p.target); up == dir {
		return err
	}
	if a := s.m.Remote().AskFollowing(dir); a.Known == tree.Absent {
		return fmt.Errorf("%s: %w", dir, errNoTempDir)
	} else if a.Known == tree.Unknown {
		return a.Err
	}
	return err
}
