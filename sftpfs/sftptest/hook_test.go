package sftptest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// describe tells what is in a request.
func describe(r *sftptest.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Kind, r.Path)
	if r.Target != "" {
		fmt.Fprintf(&b, " -> %s", r.Target)
	}
	for i, name := range []string{"read", "write", "append", "create", "truncate", "exclusive"} {
		if r.Flags&(1<<i) != 0 {
			b.WriteString(" " + name)
		}
	}
	if r.Length > 0 {
		fmt.Fprintf(&b, " %d@%d", r.Length, r.Offset)
	}
	if len(r.Data) > 0 {
		fmt.Fprintf(&b, " %q", r.Data)
	}
	if a := r.Attrs; a.Size != nil {
		fmt.Fprintf(&b, " size %d", *a.Size)
	}
	if a := r.Attrs; a.Mode != nil {
		fmt.Fprintf(&b, " mode %o", *a.Mode&0o777)
	}
	if a := r.Attrs; a.Owner != nil {
		fmt.Fprintf(&b, " owner %d %d", a.Owner.UID, a.Owner.GID)
	}
	if a := r.Attrs; a.Times != nil {
		fmt.Fprintf(&b, " times %d %d", a.Times.Access.Unix(), a.Times.Modify.Unix())
	}
	return b.String()
}

func TestHookSeesRequests(t *testing.T) {
	t.Parallel()
	seen, handles := make(chan string, 100), make(chan string, 100)
	c := channel(t, dial(t, sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		seen <- describe(r)
		if r.Handle != "" {
			handles <- r.Handle
		}
		return r.Next()
	}))))
	require.NoError(t, c.Mkdir("d"))
	f, err := c.OpenFile("/d/f", os.O_RDWR|os.O_CREATE|os.O_EXCL)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("content"), 2)
	require.NoError(t, err)
	_, err = f.ReadAt(make([]byte, 4), 3)
	require.NoError(t, err)
	_, err = f.Stat()
	require.NoError(t, err)
	require.NoError(t, f.Chmod(0o600))
	require.NoError(t, f.Truncate(5))
	require.NoError(t, f.Close())
	require.NoError(t, second(c.Stat("/d/../d/f")))
	require.NoError(t, second(c.Lstat("/d/f")))
	require.NoError(t, c.Chtimes("/d/f", time.Unix(1, 0), time.Unix(2, 0)))
	require.NoError(t, c.Chown("/d/f", 3, 4))
	require.NoError(t, c.Symlink("f", "/d/l"))
	require.NoError(t, second(c.ReadLink("/d/l")))
	require.NoError(t, c.Rename("/d/f", "/d/g"))
	require.NoError(t, c.PosixRename("/d/g", "/d/h"))
	require.NoError(t, second(c.ReadDir("/d")))
	require.NoError(t, second(c.RealPath("x")))
	require.NoError(t, c.Remove("/d/l"))
	require.NoError(t, c.Remove("/d/h"))
	require.NoError(t, c.RemoveDirectory("/d"))
	require.EqualValues(t, sftptest.StatusOpUnsupported, code(c.Link("/a", "/b")))

	require.Equal(t, []string{
		"mkdir /d",
		"open /d/f read write create exclusive",
		`write /d/f read write create exclusive 7@2 "content"`,
		"read /d/f read write create exclusive 4@3",
		"fstat /d/f read write create exclusive",
		"fsetstat /d/f read write create exclusive mode 600",
		"fsetstat /d/f read write create exclusive size 5",
		"close /d/f read write create exclusive",
		"stat /d/f",
		"lstat /d/f",
		"setstat /d/f times 1 2",
		"setstat /d/f owner 3 4",
		"symlink /d/l -> f",
		"readlink /d/l",
		"rename /d/f -> /d/g",
		"posix-rename@openssh.com /d/g -> /d/h",
		"opendir /d",
		"readdir /d",
		"readdir /d",
		"close /d",
		"realpath /x",
		"remove /d/l",
		"remove /d/h",
		"rmdir /d",
		`hardlink@openssh.com  "\x00\x00\x00\x02/a\x00\x00\x00\x02/b"`,
	}, drain(seen))
	require.Equal(t, []string{"1", "1", "1", "1", "1", "1", "2", "2", "2"}, drain(handles))
}

func TestHookNumbersConnectionsAndChannels(t *testing.T) {
	t.Parallel()
	seen := make(chan [2]int, 3)
	server := sftptest.Start(t, on(sftptest.Stat, func(r *sftptest.Request) sftptest.Answer {
		seen <- [2]int{r.Conn, r.Channel}
		return r.Next()
	}))
	first, other := dial(t, server), dial(t, server)
	for _, c := range []*rawChannel{raw(t, first), raw(t, first), raw(t, other)} {
		c.send(rawStat(1, "/"))
		require.EqualValues(t, wiretest.Attrs, c.receive().Kind)
	}
	require.Equal(t, [][2]int{{1, 1}, {1, 2}, {2, 1}}, drain(seen))
}

func TestHookRefuses(t *testing.T) {
	t.Parallel()
	tree := afero.NewMemMapFs()
	c := channel(t, dial(t, sftptest.Start(t, serving(tree), on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		if r.Path == "/plain" {
			return sftptest.Refuse(sftptest.StatusWriteProtect, "")
		}
		return sftptest.Refuse(sftptest.StatusQuotaExceeded, "no more directories")
	}))))
	err := c.Mkdir("/d")
	require.EqualValues(t, 15, code(err))
	require.ErrorContains(t, err, "no more directories")
	err = c.Mkdir("/plain")
	require.EqualValues(t, 12, code(err))
	require.ErrorContains(t, err, "Write protected")
	requireExists(t, tree, "/d", false)
}

func TestHookChangesRequestAndAnswer(t *testing.T) {
	t.Parallel()
	tree := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(tree, "/real", []byte("content"), 0o644))
	c := channel(t, dial(t, sftptest.Start(t, serving(tree),
		on(sftptest.Open, func(r *sftptest.Request) sftptest.Answer {
			r.Path = "/real"
			return r.Next()
		}),
		on(sftptest.Read, func(r *sftptest.Request) sftptest.Answer {
			a := r.Next()
			a.Data = bytes.ToUpper(a.Data)
			return a
		}))))
	f, err := c.Open("/asked")
	require.NoError(t, err)
	got, err := io.ReadAll(struct{ io.Reader }{f})
	require.NoError(t, err)
	require.Equal(t, "CONTENT", string(got))
}

// The first hook sees everything, also what the second one refuses. What the second one changes it does not see.
func TestHooksInOrder(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 10)
	server := sftptest.Start(t,
		on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
			a := r.Next()
			seen <- fmt.Sprint("first ", r.Path, " ", uint32(a.Status))
			return a
		}),
		on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
			if r.Path == "/no" {
				return sftptest.Refuse(sftptest.StatusFailure, "")
			}
			r.Path += "x"
			return r.Next()
		}),
		on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
			seen <- "third " + r.Path
			return r.Next()
		}))
	c := channel(t, dial(t, server))
	require.Error(t, c.Mkdir("/no"))
	require.Equal(t, "first /no 4", <-seen)
	require.NoError(t, c.Mkdir("/d"))
	require.Equal(t, "third /dx", <-seen)
	require.Equal(t, "first /d 0", <-seen)
	require.NoError(t, second(c.Stat("/dx")))
}

func TestHookDrops(t *testing.T) {
	t.Parallel()
	tree := afero.NewMemMapFs()
	c := raw(t, dial(t, sftptest.Start(t, serving(tree), on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		if r.Path == "/done" {
			r.Next()
		}
		return sftptest.Drop()
	}))))
	c.send(rawMkdir(1, "/never"), rawMkdir(2, "/done"), rawStat(3, "/never"), rawStat(4, "/done"))
	c.requireStatus(3, 2)
	r := c.receive()
	require.EqualValues(t, wiretest.Attrs, r.Kind)
	require.EqualValues(t, 4, r.ID)
}

// The server does not execute what follows on the channel, although it has received it.
func TestHookCuts(t *testing.T) {
	t.Parallel()
	for before, want := range map[bool]bool{true: false, false: true} {
		tree := afero.NewMemMapFs()
		server := sftptest.Start(t, serving(tree), on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
			if r.Path != "/d" {
				return r.Next()
			}
			if !before {
				r.Next()
			}
			return sftptest.Cut()
		}))
		conn := dial(t, server)
		c := raw(t, conn)
		c.send(rawMkdir(1, "/before"), rawMkdir(2, "/d"), rawMkdir(3, "/behind"))
		c.requireStatus(1, 0)
		c.requireEnd()
		require.Error(t, conn.Wait())
		require.NoError(t, server.Stop())
		requireExists(t, tree, "/before", true)
		requireExists(t, tree, "/d", want)
		requireExists(t, tree, "/behind", false)
	}
}

// A request that waits holds up its channel and no other one.
func TestHookWaits(t *testing.T) {
	t.Parallel()
	tree := afero.NewMemMapFs()
	release, received := make(chan struct{}), make(chan string, 1)
	server := sftptest.Start(t, serving(tree), on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		received <- r.Path
		r.Wait(release)
		return r.Next()
	}))
	conn := dial(t, server)
	c, other := raw(t, conn), raw(t, conn)
	c.send(rawMkdir(1, "/d"), rawStat(2, "/d"))
	require.Equal(t, "/d", await(t, received))
	other.send(rawStat(1, "/d"))
	other.requireStatus(1, 2)
	close(release)
	c.requireStatus(1, 0)
	require.EqualValues(t, wiretest.Attrs, c.receive().Kind)
}

func TestHookDetaches(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c := raw(t, dial(t, sftptest.Start(t, on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		r.Detach()
		r.Detach()
		r.Wait(release)
		return r.Next()
	}))))
	c.send(rawMkdir(1, "/d"), rawStat(2, "/d"))
	c.requireStatus(2, 2)
	close(release)
	c.requireStatus(1, 0)
}

func TestHookSleeps(t *testing.T) {
	t.Parallel()
	const nap = 10 * time.Millisecond
	c := channel(t, dial(t, sftptest.Start(t, on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		r.Sleep(nap)
		return r.Next()
	}))))
	began := time.Now()
	require.NoError(t, c.Mkdir("/d"))
	require.GreaterOrEqual(t, time.Since(began), nap)
}

// The server executes what it has received when it gets to it, long after the client has gone and another one has come. The
// handles that it needs are still there.
func TestWaitingRequestsOutliveTheirClient(t *testing.T) {
	t.Parallel()
	for _, detached := range []bool{false, true} {
		tree := afero.NewMemMapFs()
		release, received, done := make(chan struct{}), make(chan string, 1), make(chan string, 1)
		late := func(r *sftptest.Request) sftptest.Answer {
			if r.Conn != 1 {
				return r.Next()
			}
			if detached {
				r.Detach()
			}
			received <- r.Path
			r.Wait(release)
			a := r.Next()
			done <- fmt.Sprint(r.Kind, " ", uint32(a.Status))
			return a
		}
		server := sftptest.Start(t, serving(tree), on(sftptest.Write, late))
		conn := dial(t, server)
		f, err := channel(t, conn).OpenFile("/f", os.O_WRONLY|os.O_CREATE)
		require.NoError(t, err)
		written := later(func() error { return second(f.Write([]byte("late"))) })
		require.Equal(t, "/f", await(t, received))
		conn.Close()
		require.Error(t, await(t, written))

		require.NoError(t, afero.WriteFile(tree, "/f", []byte("new content"), 0o644))
		close(release)
		require.Equal(t, "write 0", await(t, done))
		got, err := afero.ReadFile(tree, "/f")
		require.NoError(t, err)
		require.Equal(t, "latecontent", string(got))
	}
}

// Nothing that waits keeps the server from stopping, or is executed after that.
func TestWaitingEndsWithTheServer(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(*sftptest.Request){
		"wait":     func(r *sftptest.Request) { r.Wait(nil) },
		"sleep":    func(r *sftptest.Request) { r.Sleep(time.Hour) },
		"detached": func(r *sftptest.Request) { r.Detach(); r.Wait(make(chan struct{})) },
	} {
		tree := afero.NewMemMapFs()
		received := make(chan string, 1)
		server := sftptest.Start(t, serving(tree), on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
			received <- r.Path
			wait(r)
			return r.Next()
		}))
		c := channel(t, dial(t, server))
		made := later(func() error { return c.Mkdir("/d") })
		require.Equal(t, "/d", await(t, received), name)
		require.NoError(t, server.Stop(), name)
		require.Error(t, await(t, made), name)
		requireExists(t, tree, "/d", false)
		require.NoError(t, server.Start())
		require.NoError(t, second(channel(t, dial(t, server)).Stat("/")), name)
	}
}

// Hooks of different channels run at the same time.
func TestHooksRunConcurrently(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	all.Add(2)
	server := sftptest.Start(t, on(sftptest.Mkdir, func(r *sftptest.Request) sftptest.Answer {
		all.Done()
		all.Wait()
		return r.Next()
	}))
	conn := dial(t, server)
	one, two := channel(t, conn), channel(t, conn)
	first := later(func() error { return one.Mkdir("/1") })
	second := later(func() error { return two.Mkdir("/2") })
	require.NoError(t, errors.Join(await(t, first), await(t, second)))
}

func TestHookAnswersExtension(t *testing.T) {
	t.Parallel()
	const name = "limits@openssh.com"
	server := sftptest.Start(t, sftptest.Announce(name, "1"), on(name, func(r *sftptest.Request) sftptest.Answer {
		if string(r.Data) == "unknown" {
			return r.Next()
		}
		return sftptest.Answer{Data: append([]byte("reply to "), r.Data...)}
	}))
	conn := dial(t, server)
	version, ok := channel(t, conn).HasExtension(name)
	require.True(t, ok)
	require.Equal(t, "1", version)
	c := raw(t, conn)
	c.send(wiretest.Packet(wiretest.Extended, 7, name, []byte("ask")))
	r := c.receive()
	require.EqualValues(t, wiretest.ExtendedReply, r.Kind)
	require.EqualValues(t, 7, r.ID)
	require.Equal(t, "reply to ask", string(r.Body))
	c.send(wiretest.Packet(wiretest.Extended, 8, name, []byte("unknown")))
	c.requireStatus(8, 8)
	c.send(wiretest.Packet(wiretest.Extended, 9, "mkdir", "/d", uint32(0)))
	c.requireStatus(9, 8)
}
