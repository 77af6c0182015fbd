package syncfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const treePackage = module + "/internal/tree"

// What local bytes a node has changes only by the transitions of the tree, which keep the sum of owned bytes and the
// order of eviction. So nothing outside it assigns Node.Content, Node.Copy or a field of a Copy that a node has.
func TestOnlyTheTreeChangesContents(t *testing.T) {
	t.Parallel()
	exports := listPackages(t)
	checked := 0
	for _, p := range exports.users {
		require.Empty(t, assignments(t, exports, p.ImportPath, p.sources(t)))
		checked++
	}
	require.GreaterOrEqual(t, checked, 3, "mirror, cachefs and syncfs")
}

// TestAssignmentsAreFound shows that the rule hits what it is meant to, and only that.
func TestAssignmentsAreFound(t *testing.T) {
	t.Parallel()
	exports := listPackages(t)
	for statement, found := range map[string]bool{
		"n.Content = tree.Owned":                           true,
		"n.Content, n.Copy = tree.Remote, nil":             true,
		"n.Copy.Stale = true":                              true,
		"n.Copy.Stamp.Size++":                              true,
		"c := n.Copy; c.Pinned = true":                     true,
		"size := &n.Copy.Stamp.Size; *size = 1":            true,
		"t.Edit(n).Copy = nil":                             true,
		"*n.Copy = tree.Copy{}":                            true,
		"c := tree.Copy{}; c.Stale = true; t.Own(n, c)":    false,
		"stamp := n.Copy.Stamp; stamp.Size = 1; _ = stamp": false,
		"t.Own(n, tree.Copy{Stale: true})":                 false,
		"n.Known = tree.Exists":                            false,
		"content := n.Content; _ = content":                false,
	} {
		source := fmt.Sprintf("package p\nimport %q\nfunc f(t *tree.Tree, n *tree.Node) { %s }\n", treePackage, statement)
		got := assignments(t, exports, "p", map[string]any{"p.go": source})
		require.Equal(t, found, len(got) > 0, statement)
	}
}

// assignments are the places in a package that assign what only the tree may.
func assignments(t *testing.T, exports listed, path string, sources map[string]any) (found []string) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for name, source := range sources {
		file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", exports.open)}
	_, err := config.Check(path, fset, files, info)
	require.NoError(t, err)
	assigned := func(e ast.Expr) {
		if ofNode(info, e) {
			found = append(found, fset.Position(e.Pos()).String())
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					assigned(e)
				}
			case *ast.IncDecStmt:
				assigned(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					assigned(n.X)
				}
			}
			return true
		})
	}
	return found
}

// ofNode says whether an expression is a node's content or copy, or a part of something that a *Copy points to.
func ofNode(info *types.Info, e ast.Expr) bool {
	isCopy := func(e ast.Expr) bool { return info.Types[e].Type.String() == "*"+treePackage+".Copy" }
	switch e := e.(type) {
	case *ast.ParenExpr:
		return ofNode(info, e.X)
	case *ast.StarExpr:
		return isCopy(e.X)
	case *ast.IndexExpr:
		return ofNode(info, e.X)
	case *ast.SelectorExpr:
		field := info.Selections[e]
		if field == nil { // of a package
			return false
		}
		owner := field.Recv().String()
		isNode := owner == "*"+treePackage+".Node" || owner == treePackage+".Node"
		return isNode && slices.Contains([]string{"Content", "Copy"}, e.Sel.Name) || isCopy(e.X) || ofNode(info, e.X)
	}
	return false
}

// listedPackage is what the go command says about a package.
type listedPackage struct {
	Dir, ImportPath, Export string
	GoFiles, Imports        []string
}

func (p listedPackage) sources(t *testing.T) map[string]any {
	sources := map[string]any{}
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		require.NoError(t, err)
		sources[filepath.Join(filepath.Base(p.Dir), name)] = text
	}
	return sources
}

// listed are the packages of the module that use the tree, and compiled forms of all that they import.
type listed struct {
	users   []listedPackage
	exports map[string]string
}

func (l listed) open(path string) (io.ReadCloser, error) { return os.Open(l.exports[path]) }

func listPackages(t *testing.T) listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps",
		"-json=Dir,ImportPath,Export,GoFiles,Imports", "./...").Output()
	require.NoError(t, err)
	l := listed{exports: map[string]string{}}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return l
		}
		require.NoError(t, err)
		l.exports[p.ImportPath] = p.Export
		if slices.Contains(p.Imports, treePackage) {
			l.users = append(l.users, p)
		}
	}
}
