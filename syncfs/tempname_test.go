package syncfs

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// tempNames are ways to name temporary files.
var tempNames = map[string]func(target, id string) string{
	"suffix":         func(target, id string) string { return target + "." + id + ".tmp" },
	"kind":           func(target, id string) string { return path.Join(path.Dir(target), id+path.Ext(target)) },
	"directory":      func(target, id string) string { return "incoming/" + id + path.Ext(target) },
	"rooted, unkept": func(target, id string) string { return "/incoming/../incoming/" + id },
}

// Files arrive under whatever temporary names, none of these is left or shown, and an upload that was cut goes on.
func TestTempName(t *testing.T) {
	t.Parallel()
	for name, tempName := range tempNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{TempName: tempName})
			r.serve("d/old.csv:old", "incoming/", "e/moves.csv")
			r.fs.block = 1 << 10
			var mu sync.Mutex // guards seen and writes
			var seen []string
			writes := 0
			r.plan.Before(func(op faultfs.Op) error {
				mu.Lock()
				defer mu.Unlock()
				if op.Kind == faultfs.Open && op.Flag&os.O_CREATE != 0 {
					seen = append(seen, op.Name)
				}
				return nil
			})
			r.write("d/new.csv", "d/old.csv:new", "top.csv")
			require.NoError(t, r.fs.Rename("e", "f"))
			r.pushes()
			require.Len(t, seen, 3)
			for _, name := range seen {
				require.NotContains(t, name, ".syncfs")
			}

			large := strings.Repeat("0123456789abcdef", 1<<10)
			r.write("d/large.csv:" + large)
			_, err := afero.ReadDir(r.fs, "d")
			require.NoError(t, err)
			r.plan.Before(func(op faultfs.Op) error {
				mu.Lock()
				defer mu.Unlock()
				if op.Kind == faultfs.Write {
					if writes++; writes == 8 {
						r.down()
						return errDown
					}
				}
				return nil
			})
			r.fails(ErrUnavailable)
			r.up()
			r.plan.Heal()
			infos, err := afero.ReadDir(r.fs, "d")
			require.NoError(t, err)
			require.Len(t, infos, 3, "no temporary file shows")
			r.restart()
			report := r.pushes()
			require.Positive(t, report.Results[0].Resumed)
			r.reads("d/large.csv", large)
		})
	}
}

// A name that can't be used is refused before anything is sent.
func TestUnusableTempName(t *testing.T) {
	t.Parallel()
	for name, tempName := range map[string]func(target, id string) string{
		"always the same": func(target, _ string) string { return target + ".tmp" },
		"in the path":     func(target, id string) string { return id + "/" + target },
		"reserved":        func(_, id string) string { return ".syncfs-" + id },
		"nothing":         func(string, string) string { return "" },
		"outside":         func(_, id string) string { return "a\x00" + id },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{TempName: tempName})
			r.write("a")
			r.fails(fs.ErrInvalid)
			require.Empty(t, r.served())
		})
	}
}

// A directory of temporary files that is missing is not made, and the error names it and the option.
func TestTempNameInAMissingDirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{TempName: tempNames["directory"]})
	r.write("a")
	_, err := r.push()
	require.ErrorContains(t, err, "incoming: ")
	require.ErrorContains(t, err, "Options.TempName")
	require.Empty(t, r.served())
	r.serve("incoming/")
	_, err = r.push()
	require.NoError(t, err)
	r.has(r.served(), "a:a", "incoming/")
}

// Servers that refuse names take those of TempName.
func TestTempNameForServersThatRefuseNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		character sftptest.Character
		tempName  string
	}{
		"suffix": {sftptest.Suffixes(".csv"), "kind"},
		"dots":   {sftptest.NoDots(), "suffix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, &Options{TempName: tempNames[c.tempName]}, c.character)
			p.write("a.csv:one", "b.csv:two")
			p.pushes()
			p.write("a.csv:ONE")
			require.NoError(t, p.fs.Rename("b.csv", "c.csv"))
			p.pushes()
			p.has("a.csv:ONE", "c.csv:two")
		})
	}
}
