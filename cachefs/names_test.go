package cachefs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func TestReservedNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("d/f", "content")
	w.put("d/.syncfs-1.part", "an upload of somebody's")
	w.put(".syncfs/log", "the remote's own")
	for _, name := range []string{".syncfs", ".syncfs/log", ".SyncFS/log", "d/.syncfs-1.part", "d/../.syncfs/log"} {
		for call, err := range w.everyCall(name) {
			if call == "create" {
				require.ErrorIs(t, err, fs.ErrInvalid, name)
				continue
			}
			require.ErrorIs(t, err, fs.ErrNotExist, "%s %s", call, name)
		}
		require.NoError(t, w.fs.RemoveAll(name))
		for call, err := range map[string]error{
			"create":         second(w.fs.Create(name)),
			"create below":   second(w.fs.Create(name + "/x")),
			"mkdir":          w.fs.Mkdir(name, 0o755),
			"mkdirall":       w.fs.MkdirAll(name, 0o755),
			"mkdirall below": w.fs.MkdirAll(name+"/x/y", 0o755),
			"rename":         w.fs.Rename("d/f", name),
			"symlink":        w.fs.SymlinkIfPossible("f", name),
		} {
			require.ErrorIs(t, err, fs.ErrInvalid, "%s %s", call, name)
		}
	}
	infos, err := afero.ReadDir(w.fs, "/")
	require.NoError(t, err)
	require.Len(t, infos, 1)
	infos, err = afero.ReadDir(w.fs, "d")
	require.NoError(t, err)
	require.Len(t, infos, 1)
	r, err := w.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.Len(t, r.Results, 1)
	for _, name := range []string{"d/.syncfs-1.part", ".syncfs/log"} {
		_, err := w.remote.Stat(name)
		require.NoError(t, err, "still on the remote")
	}
	w.requireNoLocal("d/.syncfs-1.part")
}

func TestImpossibleNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "content")
	w.requireAsked(0, func() {
		for call, err := range w.everyCall("a\x00b") {
			require.ErrorIs(t, err, fs.ErrInvalid, call)
		}
	})
	// Nothing leads above the root.
	w.requireRead("content", "../../f")
	w.requireRead("content", "/d/../../f")
	_, err := w.fs.Stat("../" + filepath.Base(w.dir))
	require.ErrorIs(t, err, fs.ErrNotExist)

	for call, err := range w.everyCall(strings.Repeat("n", 256)) {
		require.ErrorIs(t, err, syscall.ENAMETOOLONG, call)
	}
	longest := strings.Repeat("n", 255)
	w.put(longest, "content")
	w.requireOneVersion("content", longest)
	w.requireLocal("content", longest)
	for _, odd := range []string{"a b", "[a]*?", `back\slash`, "\xff\xfe", "nl\n", "-", "~", "é", "é"} {
		w.put("odd/"+odd, odd)
		w.requireOneVersion(odd, "odd/"+odd)
	}
}

// hostile lists entries that no directory can have.
type hostile struct {
	afero.Fs
	names []string
}

func (h hostile) Open(name string) (afero.File, error) {
	f, err := h.Fs.Open(name)
	if err == nil && strings.Trim(name, "/") == "d" {
		f = hostileDir{f, h.names}
	}
	return f, err
}

type hostileDir struct {
	afero.File
	names []string
}

func (d hostileDir) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := d.File.Readdir(n)
	for _, name := range d.names {
		infos = append(infos, named{infos[0], name})
	}
	return infos, err
}

type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

func TestHostileListing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "a/b", "../../etc", "/", "a\x00"} {
		base := afero.NewMemMapFs()
		put(t, base, "/d/f", "content", time.Unix(1_000_000_000, 0))
		put(t, base, "/e/g", "content", time.Unix(1_000_000_000, 0))
		dir := t.TempDir()
		local := afero.NewBasePathFs(afero.NewOsFs(), dir)
		c, err := New(hostile{base, []string{name}}, local, nil)
		require.NoError(t, err)
		infos, err := afero.ReadDir(c, "/d")
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
		requireNames(t, err, "readdir", "/d")
		require.Empty(t, infos)
		r, err := c.Pull(t.Context(), "/")
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.ErrorContains(t, err, "pull d:")
		require.Len(t, r.Results, 1, "the other directory is pulled")
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 2, ".syncfs and e: %v", entries)
		require.NoError(t, c.Close())
	}
}

// What is planted in the local directory does not lead outside, neither to read nor to write there.
func TestPlantedLinksLeadNowhere(t *testing.T) {
	t.Parallel()
	plant := map[string]func(w *world, outside string){
		"link to a file": func(w *world, outside string) {
			require.NoError(w, os.Symlink(filepath.Join(outside, "secret"), w.local("f")))
		},
		"dangling link": func(w *world, outside string) {
			require.NoError(w, os.Symlink(filepath.Join(outside, "new"), w.local("f")))
		},
		"relative link": func(w *world, outside string) {
			require.NoError(w, os.Symlink("../../"+filepath.Base(outside)+"/secret", w.local("f")))
		},
		"link for a directory": func(w *world, outside string) {
			require.NoError(w, os.Symlink(outside, w.local("d")))
		},
		"link in place of a directory": func(w *world, outside string) {
			w.read("d/known")
			require.NoError(w, os.RemoveAll(w.local("d")))
			require.NoError(w, os.Symlink(outside, w.local("d")))
		},
	}
	for name, do := range plant {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Revalidate: Always})
			outside := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
			for _, name := range []string{"f", "d/known", "d/secret", "d/new"} {
				w.put(name, "content")
			}
			do(w, outside)
			for _, name := range []string{"f", "d/known", "d/secret", "d/new"} {
				content, _ := afero.ReadFile(w.fs, name)
				require.NotEqual(t, "secret", string(content), name)
				_ = w.fs.Fetch(t.Context(), name)
				_, _ = w.fs.Pull(t.Context(), "/")
				_ = w.fs.Evict(name)
				_ = w.fs.Chmod(name, 0o644)
				_ = w.fs.Rename(name, "d/renamed")
				_ = w.fs.Remove(name)
			}
			_ = w.fs.RemoveAll("d")
			entries, err := os.ReadDir(outside)
			require.NoError(t, err)
			require.Len(t, entries, 1, "%v", entries)
			content, err := os.ReadFile(filepath.Join(outside, "secret"))
			require.NoError(t, err)
			require.Equal(t, "secret", string(content))
		})
	}
}

func TestLinksOfTheRemote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	link := func(target, name string) {
		require.NoError(t, w.remote.(afero.Linker).SymlinkIfPossible(target, name))
	}
	w.put("real/sub/f", "content")
	link("real/sub", "dir")
	link("f", "real/sub/same")
	link("../../real/sub/f", "real/sub/up")
	link("/real/sub/f", "absolute")
	link("../../../../real/./sub//f", "beyond")
	link("dir", "chain")
	link("missing", "dangling")
	link("loop2", "loop1")
	link("loop1", "loop2")
	link("self/x", "self")
	link("real/sub/f", "tofile")

	for _, name := range []string{
		"dir/f", "real/sub/same", "real/sub/up", "absolute", "beyond", "chain/f", "chain/same", "tofile", "dir/../real/sub/f",
	} {
		w.requireRead("content", name)
		fi, err := w.fs.Stat(name)
		require.NoError(t, err)
		require.Equal(t, int64(7), fi.Size())
	}
	require.Equal(t, 1, w.line.Count("open"), "all one file, fetched once")
	entries, err := os.ReadDir(w.dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no links in the local directory: %v", entries)

	fi, isLstat, err := w.fs.LstatIfPossible("dir")
	require.NoError(t, err)
	require.True(t, isLstat)
	require.NotZero(t, fi.Mode()&fs.ModeSymlink)
	require.NotZero(t, w.listed("dir").Mode()&fs.ModeSymlink)
	require.NotNil(t, w.listed("dir/f"))
	target, err := w.fs.ReadlinkIfPossible("absolute")
	require.NoError(t, err)
	require.Equal(t, "/real/sub/f", target)
	require.ErrorIs(t, second(w.fs.ReadlinkIfPossible("real/sub/f")), fs.ErrInvalid)

	require.ErrorIs(t, second(w.fs.Open("dangling")), fs.ErrNotExist)
	for _, name := range []string{"loop1", "loop1/x", "self", "self/y"} {
		require.ErrorIs(t, second(w.fs.Open(name)), syscall.ELOOP, name)
		require.ErrorIs(t, second(w.fs.Stat(name)), syscall.ELOOP, name)
	}
	require.ErrorIs(t, second(w.fs.Open("tofile/x")), syscall.ENOTDIR)

	// Through a link the file is changed, not the link.
	require.NoError(t, afero.WriteFile(w.fs, "chain/f", []byte("changed"), 0o644))
	w.requireRead("changed", "absolute")
	require.NoError(t, w.fs.Chmod("tofile", 0o600))
	got, err := w.fs.Stat("real/sub/f")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), got.Mode())
	require.NoError(t, w.fs.Rename("tofile", "moved"))
	w.requireRead("changed", "moved")
	require.NoError(t, w.fs.Remove("moved"))
	w.requireRead("changed", "real/sub/f")

	// A link that leads elsewhere now does so here as well.
	w.put("other/f", "other")
	require.NoError(t, w.remote.Remove("dir"))
	link("other", "dir")
	w.requireRead("other", "dir/f")
	w.requireRead("other", "chain/f")

	r, err := w.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.Len(t, r.Results, 2, "links are left out")
}
