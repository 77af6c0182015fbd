package localdir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/foldfs"
)

// TestTranslatedIsLikeReal makes random calls with names that the disk does not keep apart, or cannot hold. The
// directory is opened again meanwhile. SYNCFS_FULL=1 adds the disks that take long.
func TestTranslatedIsLikeReal(t *testing.T) {
	t.Parallel()
	elements := []string{"a", "A", "a.", "\u00e9", "e\u0301", "con"}
	t.Run("without need", func(t *testing.T) {
		t.Parallel()
		isLikeReal(t, elements, func(dir string) afero.Fs { return translatedDir(t, dir) })
	})
	for i, kind := range foldfs.Kinds {
		if i != 1 && os.Getenv("SYNCFS_FULL") != "1" {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			next := kind.Start(t)
			isLikeReal(t, elements, func(string) afero.Fs { return next() })
		})
	}
}

// TestOrdinaryDirectoryIsNotTranslated shows that what needs no translation pays nothing for it.
func TestOrdinaryDirectoryIsNotTranslated(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("directories of this system fold case or reserve names")
	}
	t.Parallel()
	for _, fsys := range []afero.Fs{osDir(t.TempDir()), afero.NewMemMapFs()} {
		for range 2 {
			d, err := Open(fsys)
			require.NoError(t, err)
			_, translates := d.backend.(*translated)
			require.False(t, translates)
			_, err = d.Lstat(NamesDir)
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.Empty(t, names(t, d, TmpDir))
			require.NoError(t, d.Close())
		}
	}
	for _, kind := range foldfs.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			require.IsType(t, &translated{}, open(t, kind.New(t)).backend)
		})
	}
}

// TestFilesPutByHand has the user's own files keep their spelling, and what the library makes go around them.
func TestFilesPutByHand(t *testing.T) {
	t.Parallel()
	for _, real := range []bool{false, true} {
		t.Run(fmt.Sprintf("real %v", real), func(t *testing.T) {
			t.Parallel()
			fsys := foldfs.Kinds[0].New(t)
			if real {
				fsys = foldfs.New(osDir(t.TempDir()), foldfs.Options{Fold: strings.ToLower})
			}
			put := func(name string) { require.NoError(t, afero.WriteFile(fsys, name, []byte(name), 0o644)) }
			d := open(t, fsys)
			put("REPORT.TXT")
			_, err := d.Lstat("report.txt")
			require.ErrorIs(t, err, fs.ErrNotExist)
			write(t, d, "report.txt", "ours")
			require.Equal(t, "REPORT.TXT", read(t, d, "REPORT.TXT"))
			require.Equal(t, []string{"REPORT.TXT", "report.txt"}, names(t, d, "."))

			// It is respelled by hand, so that both are there. Nothing is lost.
			require.NoError(t, fsys.Remove("REPORT.TXT"))
			put("report.txt")
			require.Equal(t, []string{"report.txt"}, names(t, d, "."))
			require.Equal(t, "ours", read(t, d, "report.txt"))
			require.NoError(t, d.Remove("report.txt"))
			require.Equal(t, "report.txt", read(t, d, "report.txt"))

			// What was known of a name is not taken for another spelling of it.
			require.NoError(t, fsys.Remove("report.txt"))
			put("Report.txt")
			_, err = d.Lstat("report.txt")
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.Equal(t, "Report.txt", read(t, d, "Report.txt"))

			// A name that only looks escaped stays hidden.
			put(".syncfs-name-x%")
			put(".syncfs-name-%61")
			put(".syncfs-long-0123")
			require.Equal(t, []string{"Report.txt"}, names(t, d, "."))
		})
	}
}

// TestRespelledIsPlain renames from one spelling of a name to another: the escape is only on the way.
func TestRespelledIsPlain(t *testing.T) {
	t.Parallel()
	fsys := foldfs.Kinds[0].New(t)
	d := open(t, fsys)
	write(t, d, "report.txt", "x")
	require.NoError(t, d.MkdirAll("dir/sub", 0o755))
	require.NoError(t, d.Rename("report.txt", "Report.txt"))
	require.NoError(t, d.Rename("dir", "DIR"))
	require.Equal(t, []string{"DIR", "Report.txt"}, names(t, d, "."))
	infos, err := afero.ReadDir(fsys, "/")
	require.NoError(t, err)
	var stored []string
	for _, info := range infos {
		stored = append(stored, info.Name())
	}
	require.ElementsMatch(t, []string{".syncfs", "DIR", "Report.txt"}, stored)
}

// TestCreatedAtOnce has many goroutines create names that are one to the disk.
func TestCreatedAtOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range foldfs.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			d := open(t, kind.New(t))
			var running sync.WaitGroup
			spellings := []string{"name", "Name", "nAme", "NAME", "n\u00e9", "ne\u0301", "NE\u0301", "name."}
			for _, name := range spellings {
				running.Go(func() {
					write(t, d, name, name)
					if d.MkdirAll("dir/"+name, 0o755) == nil {
						write(t, d, "dir/"+name+"/f", name)
					}
				})
			}
			running.Wait()
			for _, name := range spellings {
				require.Equal(t, name, read(t, d, name))
				require.Equal(t, name, read(t, d, "dir/"+name+"/f"))
			}
			require.Len(t, names(t, d, "."), len(spellings)+1)
		})
	}
}

// TestCopiedToAnotherDisk has a directory that was used where names fold be opened where they do not.
func TestCopiedToAnotherDisk(t *testing.T) {
	t.Parallel()
	base := osDir(t.TempDir())
	long := strings.Repeat("\u00e9", 100)
	d, err := Open(foldfs.New(base, foldfs.Options{Fold: strings.ToLower}))
	require.NoError(t, err)
	for _, name := range []string{"a", "A", long + "a", long + "A"} {
		write(t, d, name, name)
	}
	require.NoError(t, d.Close())
	d = open(t, base)
	for _, name := range []string{"a", "A", long + "a", long + "A"} {
		require.Equal(t, name, read(t, d, name))
	}
	require.Equal(t, []string{"A", "a", long + "A", long + "a"}, names(t, d, "."))
}

func TestEscape(t *testing.T) {
	t.Parallel()
	require.Equal(t, ".syncfs-name-%52eport%2etxt", escape("Report.txt"))
	for _, name := range []string{"", ".syncfs-name-", ".syncfs-name-%", ".syncfs-name-%5", ".syncfs-name-%zz",
		".syncfs-name-A", ".syncfs-name-%5A", ".syncfs-name-%61", ".syncfs-long-00"} {
		_, ok := unescape(name)
		require.False(t, ok, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "name"))
		escaped := escape(name)
		require.LessOrEqual(t, len(escaped), longestEscape)
		require.True(t, Reserved(escaped))
		require.Empty(t, strings.Trim(escaped, "abcdefghijklmnopqrstuvwxyz0123456789.-_%"))
		if element, ok := unescape(escaped); ok {
			require.Equal(t, name, element)
		} else {
			require.True(t, strings.HasPrefix(escaped, longPrefix))
		}
	})
}

// TestTranslatedStaysInside has a link out of the directory stand where a translated name leads.
func TestTranslatedStaysInside(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	d := open(t, translatedDir(t, dir))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, escape("Out"))))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "out")))
	for _, name := range []string{"Out", "out"} {
		_, err := d.OpenFile(name+"/x", os.O_RDWR|os.O_CREATE, 0o644)
		require.ErrorIs(t, err, ErrEscapes)
		require.ErrorIs(t, d.MkdirAll(name+"/x/y", 0o755), ErrEscapes)
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
}
