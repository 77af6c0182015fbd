package detour

import (
	"io"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Renames that form a cycle, as a log of somebody else may have them, end somewhere.
func TestPlacesEnd(t *testing.T) {
	t.Parallel()
	for _, d := range []Detours{
		{{from: "a", to: "a/b"}},
		{{from: "a", to: "b/x"}, {from: "b", to: "a/y"}},
		{{from: "a", to: "a/b"}, {from: "a", to: "a/c"}},
	} {
		require.Len(t, d.places("a/f"), mostPlaces)
	}
	require.Len(t, Detours{{from: "a", to: "b"}, {from: "b", to: "a"}}.places("a/f"), 2)
}

func newRemote(t *testing.T, files map[string]string) *remote.Remote {
	base := afero.NewMemMapFs()
	for name, content := range files {
		require.NoError(t, afero.WriteFile(base, "/"+name, []byte(content), 0o644))
	}
	return remote.New(t.Context(), base)
}

func open(r *remote.Remote, d Detours, name string) (string, error) {
	f, err := d.Open(r, name, tree.Meta{})
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	return string(content), err
}

// A file is found whether its rename was made or not.
func TestRenamedFile(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"d/old", "e/new"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, map[string]string{at: "content", "d/other": "", "e/other": ""})
			meta := r.Ask(at).Meta
			d := Detours{{from: "d/old", to: "e/new", meta: meta, alone: true}}

			require.Equal(t, meta, d.Ask(r, "d/old").Meta)
			require.Equal(t, tree.Absent, d.Ask(r, "d/none").Known)
			require.Equal(t, tree.Absent, d.Ask(r, "d/old/below").Known)
			require.Contains(t, d.List(r, "d").Entries, "old")
			require.ErrorIs(t, d.List(r, "none").Err, fs.ErrNotExist)

			content, err := open(r, d, "d/old")
			require.NoError(t, err)
			require.Equal(t, "content", content)
			_, err = open(r, d, "d/none")
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

// What else is at the destination of a rename is not the file that it moves.
func TestAnotherFileAtTheDestination(t *testing.T) {
	t.Parallel()
	r := newRemote(t, map[string]string{"new": "of somebody else", "d/x": ""})
	moved := tree.Meta{Size: 7, MTime: 1}
	for _, to := range []string{"new", "d", "none"} {
		d := Detours{{from: "old", to: to, meta: moved, alone: true}}
		require.Equal(t, tree.Absent, d.Ask(r, "old").Known, to)
		require.NotContains(t, d.List(r, ".").Entries, "old", to)
		_, err := open(r, d, "old")
		require.ErrorIs(t, err, fs.ErrNotExist, to)
	}
}

func TestWhatIsInARenamedDirectory(t *testing.T) {
	t.Parallel()
	r := newRemote(t, map[string]string{"new/d/f": "content"})
	d := Detours{{from: "old", to: "new"}}
	require.Equal(t, tree.Exists, d.Ask(r, "old/d/f").Known)
	require.Equal(t, tree.Dir, d.Ask(r, "old").Kind)
	require.Contains(t, d.List(r, "old/d").Entries, "f")
	content, err := open(r, d, "old/d/f")
	require.NoError(t, err)
	require.Equal(t, "content", content)

	require.True(t, d.MayBeWithin("old/d/f", []string{"x", "new/d"}))
	require.True(t, d.MayBeWithin("old/d/f", []string{"old"}))
	require.False(t, d.MayBeWithin("old/d/f", []string{"new/e", "x"}))
}

// A file in the old place of a directory does not hide what is in the new one.
func TestFileInThePlaceOfARenamedDirectory(t *testing.T) {
	t.Parallel()
	base := afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
	require.NoError(t, base.MkdirAll("/new/d", 0o755))
	require.NoError(t, afero.WriteFile(base, "/new/d/f", []byte("content"), 0o644))
	require.NoError(t, afero.WriteFile(base, "/old", nil, 0o644))
	r, d := remote.New(t.Context(), base), Detours{{from: "old", to: "new"}}
	require.Equal(t, tree.Exists, d.Ask(r, "old/d/f").Known)
	require.Contains(t, d.List(r, "old/d").Entries, "f")
	content, err := open(r, d, "old/d/f")
	require.NoError(t, err)
	require.Equal(t, "content", content)
}

func TestDetoursOfATree(t *testing.T) {
	t.Parallel()
	r := tree.New()
	moved := r.Discover(r.Root(), "from", tree.File, tree.Meta{Size: 1}, 1)
	replaced := r.Discover(r.Root(), "to", tree.File, tree.Meta{Size: 2}, 1)
	r.Note(moved, 1).Intent = &tree.Intent{Kind: tree.Move, From: "from", To: "to", Aside: "aside", Meta: moved.Meta}
	r.Touch(moved)
	made := r.Discover(r.Root(), "late", tree.File, tree.Meta{Size: 3}, 1)
	r.Guard(tree.Guard{Intent: tree.Intent{Kind: tree.Move, From: "late", To: "later", Aside: "aside2"}})

	require.ElementsMatch(t, Detours{
		{from: "from", to: "to", meta: moved.Meta},
		{from: "to", to: "aside", meta: replaced.Meta},
		{from: "late", to: "later", meta: made.Meta, alone: true},
		{from: "later", to: "aside2"},
	}, Of(r))
	require.Equal(t, map[string]bool{"to": true, "aside": true, "aside2": true}, Targets(r))
	require.Empty(t, Of(tree.New()))
}
