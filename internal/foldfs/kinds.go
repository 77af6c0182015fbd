package foldfs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// Kind is one kind of disk that does not keep all names apart.
type Kind struct {
	Name string

	// Start makes the disk. Each call of next returns another empty directory on it.
	Start func(t testing.TB) (next func() afero.Fs)
}

// New returns an empty directory of a new disk.
func (k Kind) New(t testing.TB) afero.Fs {
	t.Helper()
	return k.Start(t)()
}

// Kinds are all kinds under test. The last one is real, and skips the test if it is not available.
var Kinds = []Kind{
	{"ignores case", over(directory, Options{Fold: strings.ToLower})},
	{"ignores case and spells in lower case", over(memory, Options{Fold: strings.ToLower, Spell: strings.ToLower})},
	{"decomposes letters", over(memory, Options{Fold: decompose, Spell: decompose})},
	{"cuts off and refuses as Windows", over(directory, Options{
		Fold:   func(name string) string { return strings.ToLower(cutOff(name)) },
		Spell:  cutOff,
		Refuse: refuse,
	})},
	{"NTFS that ignores case", func(t testing.TB) func() afero.Fs {
		return subdirectories(t, Mount(t))
	}},
}

// Pairs are pairs of names; each kind takes some of these pairs for one name.
var Pairs = [][2]string{
	{"Report.txt", "report.txt"},
	{"r\u00e9sum\u00e9", "re\u0301sume\u0301"},
	{"\u00c9T\u00c9", "\u00e9t\u00e9"},
	{"end", "end."},
	{"CON", "con"},
	{"a?b", `a\b`},
	{"not \xff", "not \xfe"},
	{strings.Repeat("\u00e9", 60) + "X", strings.Repeat("\u00e9", 60) + "x"}, // too long to be escaped completely
}

func over(base func(testing.TB) func() afero.Fs, opts Options) func(testing.TB) func() afero.Fs {
	return func(t testing.TB) func() afero.Fs {
		next := base(t)
		return func() afero.Fs { return New(next(), opts) }
	}
}

func directory(t testing.TB) func() afero.Fs { return subdirectories(t, t.TempDir()) }

func memory(testing.TB) func() afero.Fs { return afero.NewMemMapFs }

func subdirectories(t testing.TB, dir string) func() afero.Fs {
	return func() afero.Fs {
		sub, err := os.MkdirTemp(dir, "")
		must(t, err)
		return afero.NewBasePathFs(afero.NewOsFs(), sub)
	}
}

// decompose returns normal form D for the letters in Pairs.
func decompose(name string) string {
	return strings.NewReplacer("\u00e9", "e\u0301", "\u00c9", "E\u0301").Replace(name)
}

func cutOff(name string) string {
	if cut := strings.TrimRight(name, ". "); cut != "" {
		return cut
	}
	return name
}

func refuse(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	return slices.Contains([]string{"con", "prn", "aux", "nul", "com1", "lpt1"}, stem) ||
		strings.ContainsAny(name, "<>:\"|?*\\\x01\n\t") || strings.ToValidUTF8(name, "") != name
}
