package syncfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxKept bounds the names that are tried for one file in one day.
const maxKept = 100

// maxExt is the longest extension, in bytes, that stays at the end of a shortened name.
const maxExt = 32

// keptName returns the name under which this client's version is kept beside the remote's: "a (conflict 2006-01-02
// host).txt", with a number from the second on. What comes before the mark is shortened if the name would be too long.
func keptName(base string, day time.Time, host string, n int) string {
	ext := path.Ext(base)
	if len(ext) == len(base) || len(ext) > maxExt { // ".profile" has no extension
		ext = ""
	}
	mark := fmt.Sprintf(" (conflict %s %s", day.UTC().Format(time.DateOnly), host)
	if n > 1 {
		mark += fmt.Sprintf(" %d", n)
	}
	mark += ")" + ext
	return cut(strings.TrimSuffix(base, ext), maxName-len(mark)) + mark
}

// maxHost is the longest name of a machine, in bytes, that names of files contain.
const maxHost = 64

// hostName returns the name of this machine, without characters that a file name can't have.
func hostName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown host"
	}
	return cut(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, host), maxHost)
}

// keepBoth renames a file that is in conflict, in the view and in the step, so that the remote's version shows under
// its own name. What was known of the remote's version is forgotten.
func (s *Fs) keepBoth(step tree.Step) (tree.Step, error) {
	day, host := s.m.Options().Now(), hostName()
	for i := 1; i <= maxKept; i++ {
		name := keptName(step.To.Name, day, host, i)
		taken := false
		err := s.m.Do(func(v *mirror.View) error {
			n := step.Node
			if v.Tree().Node(n.ID) != n || n.Parent() != step.To.Dir || n.Name() != step.To.Name {
				return fmt.Errorf("%w: it was moved meanwhile", ErrBusy)
			}
			p, err := v.Find(tree.Join(step.To.Dir.Path(), name), false)
			if err != nil {
				return err
			}
			if taken, err = p.Exists(); err != nil || taken {
				return err
			}
			from := n.Path()
			disclaim(v, n, step.Replaces)
			v.Tree().Move(n, step.To.Dir, name, tree.Absent, v.Now())
			return v.Save(action{Kind: tree.RenameLocal, From: from, To: n.Path()})
		})
		if err != nil {
			return step, err
		}
		if !taken {
			dir, _ := tree.Split(step.Path)
			step.Path, step.To.Name, step.Replaces = tree.Join(dir, name), name, nil
			return step, nil
		}
	}
	return step, errors.New("no name is left to keep both versions")
}
