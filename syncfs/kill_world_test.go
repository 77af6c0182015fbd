//go:build unix

package syncfs

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// killPatience is how long a child may take for what takes milliseconds on an idle machine.
const killPatience = time.Minute

// killWorld is one local directory and one remote, on which one child after the other works.
type killWorld struct {
	testing.TB
	child  killChild
	remote afero.Fs // of this process
	served string   // the directory that the remote serves
	local  afero.Fs
	model  *killModel
	rand   *mathrand.Rand
}

// startedKillWorld is a world whose remote has some files.
func startedKillWorld(t testing.TB, served string, files map[string]string) *killWorld {
	base := t.TempDir()
	w := &killWorld{TB: t, served: served}
	w.child = killChild{Remote: served, Local: filepath.Join(base, "local"), Hand: filepath.Join(base, "hand"), At: -1}
	w.local = afero.NewBasePathFs(afero.NewOsFs(), w.child.Local)
	require.NoError(t, os.Mkdir(w.child.Local, 0o755))
	require.NoError(t, os.Mkdir(w.child.Hand, 0o755))
	for name, content := range files {
		w.serve(name, content)
	}
	tree, err := aferotest.Tree(aferotest.OS(served))
	require.NoError(t, err)
	w.model = newKillModel(t, tree, map[[32]byte]bool{})
	return w
}

// serve puts a file on the remote, whole.
func (w *killWorld) serve(name, content string) {
	w.Helper()
	temp := filepath.Join(w.child.Hand, "served")
	real := filepath.Join(w.served, name)
	require.NoError(w, os.MkdirAll(filepath.Dir(real), 0o755))
	require.NoError(w, os.WriteFile(temp, []byte(content), 0o644))
	require.NoError(w, os.Rename(temp, real))
}

// run starts a child, kills it when it has printed that many lines, and a little later; a negative number of lines
// leaves it to end itself. It returns the call that was under way, if any, and what the last line said.
func (w *killWorld) run(lines int, delay time.Duration) (under *killOp, last killLine) {
	w.Helper()
	setting, err := json.Marshal(w.child)
	require.NoError(w, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+string(setting))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(w, err)
	require.NoError(w, cmd.Start())
	defer time.AfterFunc(killPatience, func() { _ = cmd.Process.Kill() }).Stop()

	begun := map[int]killOp{}
	seen := 0
	for in := bufio.NewReader(out); ; seen++ {
		if seen == lines {
			time.Sleep(delay) // nothing is waited for: the moment of the kill is to be any
			_ = cmd.Process.Kill()
		}
		b, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var l killLine
		require.NoError(w, json.Unmarshal(b, &l))
		if w.follow(l, begun); l.Begin == nil {
			last = l
		}
	}
	err = cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if last.ID != -1 {
		require.True(w, status.Signaled() && status.Signal() == syscall.SIGKILL && seen >= lines,
			"the child ended after %d lines: %v\n%s", seen, err, &stderr)
	}
	for _, op := range begun {
		if op.Kind != "push" && op.Kind != "fetch" {
			under = &op
		}
		w.Logf("under way: %v", op)
	}
	return under, last
}

// follow makes an acknowledged call on the model: the outcome has to be the same.
func (w *killWorld) follow(l killLine, begun map[int]killOp) {
	w.Helper()
	if l.Begin != nil {
		begun[l.ID] = *l.Begin
		return
	}
	op, ok := begun[l.ID]
	if !ok {
		return
	}
	delete(begun, l.ID)
	require.Empty(w, l.Wrong, "%v", op)
	if op.Kind == "push" || op.Kind == "fetch" {
		return
	}
	read, err := w.model.call(w, op)
	message := ""
	if err != nil {
		message = err.Error()
	}
	require.Equal(w, message == "", l.Err == "", "%v: got %q, package os says %q", op, l.Err, message)
	if err == nil {
		require.Equal(w, read, l.Read, "%v", op)
	}
}

// open opens the local directory that a killed process has left, and checks that nothing was lost.
func (w *killWorld) open(under *killOp) *Fs {
	w.Helper()
	before, _ := w.model.busy(w)
	s, err := New(w.remote, w.local, trying(w.child.options()))
	require.NoError(w, err)
	w.Cleanup(func() { _ = s.Close() }) // where a check ends the test
	require.NoError(w, s.Damage())
	for _, dir := range []string{localdir.TmpDir, localdir.TrashDir} {
		left, err := os.ReadDir(filepath.Join(w.child.Local, dir))
		require.NoError(w, err)
		require.Empty(w, left, dir)
	}
	got, err := aferotest.Tree(s)
	require.NoError(w, err)
	states := w.model.interrupt(w, under, got)
	after, _ := w.model.busy(w)
	w.model.caller.closeAll()
	matching(w, states, got)
	w.model = newKillModel(w, got, w.model.whole)
	w.model.interrupted(w, before, after)
	return s
}

// both makes a call on the Fs and on the model: the outcome has to be the same.
func (w *killWorld) both(s *Fs, op killOp) {
	w.Helper()
	read, err := (&killCaller{fs: s, user: parentUser{s, w}}).call(op)
	wantRead, wantErr := w.model.call(w, op)
	require.Equal(w, wantErr == nil, err == nil, "%v: got %v, package os says %v", op, err, wantErr)
	require.Equal(w, wantRead, read, "%v", op)
}

// parentUser is what the parent does with the local directory.
type parentUser struct {
	*Fs
	w *killWorld
}

func (p parentUser) byHand(name string, content []byte) error {
	return os.WriteFile(filepath.Join(p.w.child.Local, name), content, 0o644)
}
func (p parentUser) add(name string) error { return p.Add(name) }
func (p parentUser) background(killOp) error {
	return errors.New("the parent calls Push and Fetch itself")
}

// settle brings all that is queued or interrupted to the remote, which then equals the view and the model.
func (w *killWorld) settle(s *Fs) {
	w.Helper()
	must, may := w.model.busy(w)
	interrupted, err := onlyBusy(s.Push(context.Background()))
	require.NoError(w, err)
	require.Subset(w, interrupted, must, "were being written")
	require.Subset(w, slices.Concat(must, may), interrupted, "said to be interrupted")
	for _, name := range interrupted {
		switch w.rand.IntN(3) {
		case 0:
			require.NoError(w, s.Add(name))
		case 1:
			w.both(s, killOp{Kind: "remove", Name: name})
		case 2:
			for _, fsys := range []afero.Fs{s, w.model.caller.fs} {
				f, err := fsys.OpenFile(name, os.O_WRONLY, 0)
				require.NoError(w, err)
				_, err = f.WriteAt([]byte("once more"), 0)
				require.NoError(w, err)
				require.NoError(w, f.Close())
			}
		}
	}
	w.thin(s)
	w.pushed(s)
}

// thin removes files that only one round knows of, when there are many.
func (w *killWorld) thin(s *Fs) {
	w.Helper()
	names := slices.Sorted(maps.Values(w.model.names(w)))
	if len(names) < 25 {
		return
	}
	for _, name := range names {
		if strings.Contains(name, "-") && w.rand.IntN(3) > 0 {
			w.both(s, killOp{Kind: "remove", Name: name})
		}
	}
}

// pushed expects that all is pushed, that of users' own files too, and that then all sides are the same.
func (w *killWorld) pushed(s *Fs) {
	w.Helper()
	want := w.model.tree(w)
	for _, e := range want {
		w.model.whole[sha256.Sum256([]byte(e.Content))] = true
	}
	require.NoError(w, s.AddDir("/", nil))
	_, err := s.Push(context.Background())
	require.NoError(w, err)
	require.Empty(w, s.Pending())
	view, err := aferotest.Tree(s)
	require.NoError(w, err)
	require.Empty(w, aferotest.Diff(want, view), "the view after the push")
	remote, err := aferotest.Tree(aferotest.OS(w.served))
	require.NoError(w, err)
	require.Empty(w, aferotest.Diff(want, remote), "the remote after the push")
}
