package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchWith is a bench without a server, for tools that copy on this machine.
func benchWith(t *testing.T, limit time.Duration) *bench {
	t.Helper()
	b := &bench{scale: quickScale, limit: limit, dir: t.TempDir(), log: io.Discard, results: results{}}
	require.NoError(t, makeItem(b.dataDir(testItem), testItem))
	return b
}

// requireNoRuns wants nothing to be left of a run.
func (b *bench) requireNoRuns(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(b.dir, "run-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Positive(t, b.made)
}

// shell is a tool that runs a script with the places of the item: from $1 into the directory $2.
func shell(script string) tool {
	return tool{name: "shell", parse: parsePlain, plan: func(j job) (plan, bool) {
		from, to := j.remote(), j.localDir
		if j.task == push || j.task == edits {
			from, to = j.local(), j.remoteDir
		}
		return one("sh", "-ec", script, "sh", from, to), true
	}}
}

func TestWrongResultsAreSeen(t *testing.T) {
	t.Parallel()
	b := benchWith(t, time.Minute)
	for _, c := range []struct {
		name    string
		task    task
		script  string
		problem string
	}{
		{"good pull", pull, `cp -r "$1" "$2"`, ""},
		{"good push", push, `cp -r "$1" "$2"`, ""},
		{"good edits", edits, `cp -r "$1" "$2"`, ""},
		{"good list", list, `cd "$1"; find . -type f -printf "%s %P\n"`, ""},
		{"failure", pull, `cp -r "$1" "$2"; echo broken >&2; exit 3`, "broken"},
		{"nothing", pull, `:`, "no such file"},
		{"a byte more", pull, `cp -r "$1" "$2"; echo >>"$2/tree/g0-00000.bin"`, "files in place of"},
		{"a byte changed", push, `cp -r "$1" "$2"; printf x | dd of="$2/tree/g0-00000.bin" conv=notrunc`, "differs"},
		{"a temporary file", push, `cp -r "$1" "$2"; echo >"$2/.syncfs-1.part"`, ".syncfs-1.part was left"},
		{"an edit that stays", edits, `:`, "differs"},
		{"a name less", list, `cd "$1"; find . -type f -printf "%s %P\n" | tail -n +2`, "is missing"},
		{"wrong size", list, `cd "$1"; find . -type f -printf "7 %P\n"`, "files in place of"},
	} {
		_, err := b.once(t.Context(), workload{task: c.task, item: testItem}, shell(c.script), host{})
		if c.problem == "" {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorContains(t, err, c.problem, c.name)
		}
		b.requireNoRuns(t)
	}
}

// What the client says it read is checked against the data itself.
func TestWrongDigestsAreSeen(t *testing.T) {
	t.Parallel()
	b := benchWith(t, time.Minute)
	file := item{"file", []group{{0, 1, mib}}}
	require.NoError(t, makeItem(b.dataDir(file), file))
	content, err := os.ReadFile(filepath.Join(b.dataDir(file), "file"))
	require.NoError(t, err)
	var all [][]byte
	for _, f := range testItem.list() {
		one, err := os.ReadFile(filepath.Join(b.dataDir(testItem), testItem.name, f.name))
		require.NoError(t, err)
		all = append(all, one)
	}
	offset := blockOffsets(mib, 1)[0]
	for _, c := range []struct {
		job    job
		output string
		digest string
	}{
		{job{task: first, item: file}, "", digest(content[:1])},
		{job{task: first, item: file}, string(content[:1]), ""},
		{job{task: reads, item: file, blocks: 1}, "", digest(content[offset : offset+blockSize])},
		{job{task: cached, item: testItem}, "", digest(all...)},
	} {
		require.NoError(t, b.check(tool{}, c.job, c.output, report{Digest: c.digest}))
		require.Error(t, b.check(tool{}, c.job, "", report{Digest: digest([]byte("other"))}))
		require.Error(t, b.check(tool{}, c.job, "", report{}), "nothing read is not right either")
	}
}

// Of us it is wanted that only what was edited travels.
func TestSentIsCounted(t *testing.T) {
	t.Parallel()
	j := job{item: quickScale.workloads()[10].item}
	ours := tool{ours: true}
	require.NoError(t, checkSent(ours, j, report{Changes: 1, Bytes: kib}))
	require.Error(t, checkSent(ours, j, report{Changes: 40, Bytes: 40 * kib}))
	require.Error(t, checkSent(ours, j, report{Changes: 1, Bytes: 2 * kib}))
	require.NoError(t, checkSent(tool{}, j, report{}))
}

func TestLimitEndsARun(t *testing.T) {
	t.Parallel()
	b := benchWith(t, 100*time.Millisecond)
	pids := filepath.Join(t.TempDir(), "pid")
	hanging := shell(`echo $$ >` + pids + `; sleep 1000 & wait`)
	hanging.ours = true
	load := workload{name: "w", title: "title", task: pull, item: testItem}
	at := cell{wire{}, "w", "shell"}
	err := b.measure(t.Context(), at, load, hanging, host{})
	require.ErrorIs(t, err, errOverLimit, "ours is expected to do it")
	require.True(t, b.results[at].overLimit)
	pid, err := os.ReadFile(pids)
	require.NoError(t, err)
	require.NoDirExists(t, "/proc/"+strings.TrimSpace(string(pid)))

	require.NoError(t, os.Remove(pids))
	require.NoError(t, b.measure(t.Context(), at, load, hanging, host{}))
	require.NoFileExists(t, pids, "it is not tried again")

	hanging.ours = false
	other := cell{wire{}, "w", "peer"}
	require.NoError(t, b.measure(t.Context(), other, load, hanging, host{}), "a peer may be slow")
	require.True(t, b.results[other].overLimit)
}

func TestInterruptEndsARun(t *testing.T) {
	t.Parallel()
	b := benchWith(t, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	started := filepath.Join(t.TempDir(), "started")
	require.NoError(t, os.Mkdir(started, 0o755))
	go func() {
		defer cancel()
		for t.Context().Err() == nil {
			if _, err := os.Stat(filepath.Join(started, "yes")); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	load := workload{task: pull, item: testItem}
	err := b.measure(ctx, cell{}, load, shell(`echo >`+started+`/yes; sleep 1000`), host{})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, b.results)
	b.requireNoRuns(t)
}

func TestPipeReportsEveryFailure(t *testing.T) {
	t.Parallel()
	r := runner{env: os.Environ()}
	out, err := r.run(t.Context(), plan{pipe: [][]string{{"cat"}, {"tr", "a", "b"}}, input: "aha"}, "")
	require.NoError(t, err)
	require.Equal(t, "bhb", out)
	_, err = r.run(t.Context(), plan{pipe: [][]string{{"sh", "-c", "echo no >&2; exit 1"}, {"cat"}}}, "")
	require.ErrorContains(t, err, "no")
	_, err = r.run(t.Context(), plan{pipe: [][]string{{"cat", "/dev/zero"}, {"no-such-program"}}}, "")
	require.ErrorContains(t, err, "no-such-program", "and the first one ends")
}

func TestNothingOfTheUsers(t *testing.T) {
	t.Parallel()
	b := benchWith(t, time.Minute)
	out, err := b.runner().run(t.Context(), one("env"), "")
	require.NoError(t, err)
	require.NotContains(t, out, "SSH_AUTH_SOCK")
	require.Contains(t, out, "HOME="+b.home()+"\n")
}

func TestMounts(t *testing.T) {
	t.Parallel()
	const mounts = "proc /proc proc rw 0 0\nh:/r /a/run-1/mount fuse.sshfs rw 0 0\n"
	for _, dir := range []string{"/a/run-1/mount", "/a/run-1", "/a", "/proc"} {
		require.True(t, mountsHold(mounts, dir), dir)
	}
	for _, dir := range []string{"/a/run-1/mount/x", "/a/run", "/a/run-11", "/b"} {
		require.False(t, mountsHold(mounts, dir), dir)
	}
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	require.NoError(t, removeAll(filepath.Join(dir, "a")))
	require.NoDirExists(t, filepath.Join(dir, "a"))
}
