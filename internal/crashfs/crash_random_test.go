package crashfs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

// outcomes returns all that crashes with many seeds leave, as text.
func outcomes(t *testing.T, d disk) []string {
	seen := map[string]bool{}
	for seed := range uint64(500) {
		left := tree(t, d.CrashRandom(seed))
		require.Equal(t, left, tree(t, d.CrashRandom(seed)), "a seed is an outcome")
		seen[fmt.Sprint(left)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestCrashRandomLeavesEveryPrefixOfWrites(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.write("f", "abc")
	d.sync("f", "/")
	d.append("f", "de")
	d.append("f", "f")
	require.Equal(t, []string{"map[f:abc]", "map[f:abcd]", "map[f:abcde]", "map[f:abcdef]"}, outcomes(t, d))
}

func TestCrashRandomLeavesWhatWasSynced(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.write("f", "an older content")
	d.sync("f", "/")
	d.write("f", "new")
	d.sync("f")
	require.Equal(t, []string{"map[f:new]"}, outcomes(t, d))
}

func TestCrashRandomLeavesEveryPrefixOfNames(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.mkdir("d")
	d.sync("/")
	d.mkdir("a")
	d.mkdir("b")
	d.mkdir("d/x")
	require.ElementsMatch(t, []string{
		"map[a/: b/: d/:]", "map[a/: b/: d/: d/x/:]",
		"map[a/: d/:]", "map[a/: d/: d/x/:]",
		"map[d/:]", "map[d/: d/x/:]",
	}, outcomes(t, d))
}

func TestCrashRandomMovesWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.mkdir("a")
	d.mkdir("b")
	d.write("a/f", "abc")
	d.sync("a/f", "a", "b", "/")
	d.rename("a/f", "b/f")
	require.Equal(t, []string{"map[a/: a/f:abc b/:]", "map[a/: b/: b/f:abc]"}, outcomes(t, d))
}

func TestCrashRandomMovesOnlyToWhatSurvives(t *testing.T) {
	t.Parallel()
	d := disk{crashfs.New(nil), t}
	d.mkdir("a")
	d.write("a/f", "abc")
	d.sync("a/f", "a", "/")
	d.mkdir("b")
	d.rename("a/f", "b/f")
	require.ElementsMatch(t, []string{"map[a/: a/f:abc]", "map[a/: a/f:abc b/:]", "map[a/: b/: b/f:abc]"}, outcomes(t, d))
}

// TestCrashRandomLosesNothing moves files and directories about at random, and
// makes and removes directories: each file that was durable once is there
// exactly once, whatever the crash.
func TestCrashRandomLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := disk{crashfs.New(nil), t}
		d.mkdir("a")
		d.mkdir("b")
		d.mkdir("b/c")
		for i, content := range []string{"one", "two", "three"} {
			name := fmt.Sprintf("a/%d", i)
			d.write(name, content)
			d.sync(name)
		}
		d.sync("a", "b", "/")
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			names := slices.Sorted(maps.Keys(tree(t, d)))
			dirs := append(slices.DeleteFunc(slices.Clone(names), isFile), "/")
			dir := rapid.SampledFrom(dirs).Draw(t, "directory")
			to := dir + rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "new name")
			// What can't be done, such as to replace a directory, is not.
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				_ = d.Mkdir(to, 0o755)
			case 1:
				_ = d.Remove(dir)
			case 2:
				d.sync(dir)
			default:
				from := rapid.SampledFrom(names).Draw(t, "from")
				if _, err := d.Stat(to); err != nil {
					_ = d.Rename(from, to)
				}
			}
		}
		var left []string
		for name, content := range tree(t, d.CrashRandom(rapid.Uint64().Draw(t, "seed"))) {
			if isFile(name) {
				left = append(left, content)
			}
		}
		slices.Sort(left)
		require.Equal(t, []string{"one", "three", "two"}, left)
	})
}

func isFile(name string) bool { return !strings.HasSuffix(name, "/") }
