package syncfs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/sftpsyncer/go-syncfs"

// contractFolder may be imported by all, and imports none of them.
const contractFolder = "cachefs/remote"

// layers are the packages of the library from the top to the bottom. A package imports only those of lower layers.
var layers = [][]string{
	{"syncfs"},
	{"cachefs"},
	{"internal/mirror"},
	{"internal/copies"},
	{"internal/download", "internal/localstore", "internal/listcache", "internal/detour"},
	{"internal/remote", "internal/inflight", "internal/progress"},
	{"internal/memremote", "internal/statelog"},
	{"internal/handle", "internal/tree"},
	{"internal/localdir"},
	{"internal/oserr", "internal/abandon", "internal/buffers", "internal/lockorder", "internal/remoteclock",
		"internal/umask"},
	{contractFolder},
}

var (
	// What stands on a remote knows it only as an afero.Fs, so that any other will do.
	ssh = []string{"github.com/pkg/sftp", "golang.org/x/crypto/ssh", "sftpfs"}

	// forbidden are other imports that a package must not have.
	forbidden = map[string][]string{
		"internal/localstore": {"internal/remote"},
		"sftpfs":              {"syncfs", "cachefs", "internal/mirror", "internal/tree", "internal/localdir", "internal/statelog"},
	}

	// sftpRooms are below sftpfs, which imports them. Of sftpfs each may import only what is listed.
	sftpRooms = map[string][]string{
		"sftpfs/internal/wire":      {"sftpfs/internal/invalid"},
		"sftpfs/internal/sshconfig": {"sftpfs/internal/textfile"},
		"sftpfs/internal/sshauth":   {"sftpfs/internal/invalid", "sftpfs/internal/textfile"},
		"sftpfs/internal/invalid":   nil,
		"sftpfs/internal/textfile":  nil,
	}

	// testTools may be imported by tests, by what is for tests, and by examples.
	testTools = []string{"testing", "internal/link", "sftpfs/sftptest"}

	// testOnly may be imported by tests and by each other.
	testOnly = []string{"internal/aferotest", "internal/faultfs", "internal/crashfs", "internal/foldfs",
		"internal/lateremote", "internal/limits",
		"internal/opensshtest", "internal/peerbench", "internal/remotetest", "internal/sftpservers", "internal/soak",
		"sftpfs/internal/wiretest"}
)

func TestImportDirections(t *testing.T) {
	t.Parallel()
	imports := moduleImports(t)
	for folder, all := range imports {
		for _, imported := range all {
			require.False(t, isForbidden(folder, imported), "%s imports %s", folder, imported)
		}
	}
}

// TestImportRulesCanFail shows that the rules hit what they are meant to, and only that.
func TestImportRulesCanFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		folder, imported string
		forbidden        bool
	}{
		{"syncfs", "cachefs", false},
		{"cachefs", "syncfs", true},
		{"cachefs", "golang.org/x/crypto/ssh/knownhosts", true},
		{"internal/mirror", "internal/tree", false},
		{"internal/mirror", "cachefs", true},
		{"internal/mirror", "cachefs/remote", false},
		{"cachefs/remote", "internal/tree", true},
		{"internal/tree", "internal/mirror", true},
		{"internal/tree", "github.com/pkg/sftp", true},
		{"internal/tree", "internal/handle", true},
		{"internal/copies", "internal/download", false},
		{"internal/copies", "internal/unheardof", true},
		{"internal/localstore", "internal/remote", true},
		{"internal/treehouse", "github.com/pkg/sftp", false},
		{"sftpfs", "github.com/pkg/sftp", false},
		{"sftpfs/sftptest", "internal/tree", true},
		{"sftpfs", "sftpfs/sftptest", true},
		{"sftpfs", "testing", true},
		{"sftpfs/internal/wire", "internal/link", true},
		{"internal/mirror", "testing/synctest", true},
		{"sftpfs/sftptest", "testing", false},
		{"sftpfs/sftptest", "internal/link", false},
		{"examples/quickstart", "sftpfs/sftptest", false},
		{"sftpfs", "internal/faultfs", true},
		{"sftpfs", "sftpfs/internal/wire", false},
		{"sftpfs", "sftpfs/internal/wiretest", true},
		{"sftpfs/internal/wire", "sftpfs", true},
		{"sftpfs/internal/wire", "sftpfs/internal/invalid", false},
		{"sftpfs/internal/wire", "internal/tree", true},
		{"sftpfs/internal/wire", "github.com/pkg/sftp", false},
		{"sftpfs/internal/wire", "sftpfs/internal/sshconfig", true},
		{"sftpfs/internal/sshconfig", "sftpfs/internal/wire", true},
		{"sftpfs/internal/sshconfig", "sftpfs/internal/textfile", false},
		{"sftpfs/internal/sshauth", "sftpfs", true},
		{"sftpfs/internal/sshauth", "sftpfs/internal/sshconfig", true},
		{"sftpfs/internal/sshauth", "golang.org/x/crypto/ssh", false},
		{"sftpfs/internal/invalid", "sftpfs/internal/wire", true},
		{"internal/aferotest", "internal/faultfs", false},
		{"examples/quickstart", "sftpfs", false},
		{"examples/quickstart", "internal/opensshtest", true},
	} {
		require.Equal(t, c.forbidden, isForbidden(c.folder, c.imported), "%s imports %s", c.folder, c.imported)
	}
}

// isForbidden says whether the package in a folder of the module must not import another. Packages of the module are
// named by their folder.
func isForbidden(folder, imported string) bool {
	if imported == contractFolder {
		return false
	}
	if at := layer(folder); at >= 0 {
		to := layer(imported)
		if to >= 0 && to <= at || to < 0 && within("internal", imported) || withinAny(ssh, imported) {
			return true
		}
	}
	for root, not := range forbidden {
		if within(root, folder) && withinAny(not, imported) {
			return true
		}
	}
	if allowed, ok := sftpRooms[folder]; ok && within("sftpfs", imported) && !slices.Contains(allowed, imported) {
		return true
	}
	if isProduction(folder) && withinAny(testTools, imported) {
		return true
	}
	return withinAny(testOnly, imported) && !withinAny(testOnly, folder)
}

// isProduction tells whether programs that use the library link the package in a folder.
func isProduction(folder string) bool {
	_, room := sftpRooms[folder]
	return layer(folder) >= 0 || room || folder == "sftpfs"
}

// layer is the number of the layer of a folder, or -1.
func layer(folder string) int {
	return slices.IndexFunc(layers, func(folders []string) bool { return slices.Contains(folders, folder) })
}

func within(root, name string) bool { return name == root || strings.HasPrefix(name, root+"/") }

func withinAny(roots []string, name string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return within(root, name) })
}

// moduleImports returns what each folder's package imports, tests left out, and checks that every folder with a rule
// is there: a rule about a folder that was renamed would hold for ever.
func moduleImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := make(map[string][]string)
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		imports[folder] = slices.Grow(imports[folder], len(file.Imports))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[folder] = append(imports[folder], strings.TrimPrefix(imported, module+"/"))
		}
		return nil
	})
	require.NoError(t, err)
	for _, folder := range slices.Concat(append(layers, slices.Collect(maps.Keys(forbidden)))...) {
		require.Contains(t, imports, folder, "a rule names a folder without a package")
	}
	for folder := range sftpRooms {
		require.Contains(t, imports, folder, "a rule names a folder without a package")
	}
	for _, folder := range testOnly {
		require.Contains(t, imports, folder, "a rule names a folder without a package")
	}
	return imports
}

func TestModuleName(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "module "+module+"\n"))
}
