//go:build unix

package syncfs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func openssh(t *testing.T, server *opensshtest.Server, root string, idle time.Duration) *sftpfs.Fs {
	t.Helper()
	remote, err := sftpfs.New(sftpfs.Config{Addr: server.Addr, User: server.User, KeyFiles: []string{server.KeyFile},
		KnownHosts: []string{server.KnownHosts}, Root: root, IdleTimeout: idle})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remote.Close()) })
	return remote
}

// A Push that is cancelled leaves requests under way. The next one waits for the answers before it looks what became of them.
func TestRenamesOfACancelledPushAreNotTakenForConflicts(t *testing.T) {
	t.Parallel()
	const files, rounds = 200, 12
	server := opensshtest.Start(t, opensshtest.Options{})
	fsys, err := New(openssh(t, server, server.Root, 0), realDir(t), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, fsys.Close()) }()
	name := func(round, i int) string { return fmt.Sprintf("r%d-%d", round, i) }
	for i := range files {
		require.NoError(t, afero.WriteFile(fsys, name(0, i), []byte(strconv.Itoa(i)), 0o644))
	}
	_, err = fsys.Push(context.Background())
	require.NoError(t, err)
	for round := 1; round <= rounds; round++ {
		for i := range files {
			require.NoError(t, fsys.Rename(name(round-1, i), name(round, i)))
		}
		ctx, cancel := context.WithTimeout(context.Background(), rand.N(40*time.Millisecond))
		_, err := fsys.Push(ctx)
		cancel()
		require.NotErrorIs(t, err, ErrConflict)
		_, err = fsys.Push(context.Background())
		require.NoError(t, err)
		found, err := os.ReadDir(server.Root)
		require.NoError(t, err)
		require.Len(t, found, files)
	}
	for i := range files {
		text, err := os.ReadFile(filepath.Join(server.Root, name(rounds, i)))
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), string(text))
	}
}

// sftpServers are the processes that serve the sessions of one server.
type sftpServers struct {
	t    *testing.T
	list string // of their process ids
}

// suspendable starts an OpenSSH server whose SFTP processes can be suspended.
func suspendable(t *testing.T, args string) (*opensshtest.Server, *sftpServers) {
	t.Helper()
	const command = "/usr/lib/openssh/sftp-server"
	if _, err := os.Stat(command); err != nil {
		t.Skip("no " + command)
	}
	dir := t.TempDir()
	list, script := filepath.Join(dir, "pids"), filepath.Join(dir, "serve")
	text := fmt.Sprintf("#!/bin/sh\necho $$ >>%s\nexec %s %s\n", list, command, args)
	require.NoError(t, os.WriteFile(script, []byte(text), 0o755))
	return opensshtest.Start(t, opensshtest.Options{Subsystem: script}), &sftpServers{t, list}
}

func (s *sftpServers) pids() (pids []int) {
	text, err := os.ReadFile(s.list)
	require.NoError(s.t, err)
	for _, line := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(line)
		require.NoError(s.t, err)
		pids = append(pids, pid)
	}
	return pids
}

// suspend suspends those there are, and returns a function that has them go on, and waits until they have ended.
func (s *sftpServers) suspend() (resume func()) {
	pids := s.pids()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); !errors.Is(err, syscall.ESRCH) {
			require.NoError(s.t, err)
		}
	}
	return func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		for _, pid := range pids {
			require.Eventually(s.t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, 20*time.Second,
				5*time.Millisecond)
		}
	}
}

// The process that serves SFTP is suspended before it carries out a request. The connection is given up, and everything is done
// again over another one, and more. Then the process goes on.
func TestASuspendedServerCarriesOutRequestsLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op    faultfs.Kind
		args  string
		first func(*rig)
		then  func(*rig)
	}{
		{faultfs.Remove, "", func(r *rig) { require.NoError(r, r.fs.Remove("f")) }, func(r *rig) { r.write("f:anew") }},
		{faultfs.Rename, "", func(r *rig) { require.NoError(r, r.fs.Rename("f", "g")) }, func(r *rig) { r.write("f:anew", "g:too") }},
		{faultfs.Rename, "", func(r *rig) { r.write("f:two") }, func(r *rig) { r.write("f:three") }},
		{faultfs.Rename, "-P posix-rename", func(r *rig) { r.write("f:two") }, func(r *rig) { r.write("f:three") }},
		{faultfs.Mkdir, "", func(r *rig) { require.NoError(r, r.fs.Mkdir("d", 0o755)) }, func(r *rig) { require.NoError(r, r.fs.Remove("d")) }},
		{faultfs.Chmod, "", func(r *rig) { require.NoError(r, r.fs.Chmod("f", 0o600)) }, func(r *rig) { require.NoError(r, r.fs.Chmod("f", 0o644)) }},
	} {
		t.Run(fmt.Sprint(c.op, c.args), func(t *testing.T) {
			t.Parallel()
			server, processes := suspendable(t, c.args)
			plan := new(faultfs.Plan)
			r := &rig{TB: t, remote: aferotest.OS(server.Root), plan: plan, local: realDir(t)}
			r.serve("f:one")
			var err error
			r.fs, err = New(faultfs.New(openssh(t, server, server.Root, 400*time.Millisecond), plan), r.local, nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, r.fs.Close()) }()
			r.fetch("f")
			c.first(r)
			var resume func()
			var once sync.Once
			plan.Before(func(op faultfs.Op) error {
				if op.Kind == c.op {
					once.Do(func() { resume = processes.suspend() })
				}
				return nil
			})
			r.pushAll()
			require.NotNil(t, resume)
			c.then(r)
			r.pushAll()
			resume()
			r.pushes()
			info, err := r.remote.Stat("f")
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
		})
	}
}
