package link

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const soon = 20 * time.Second

// echo is a target that sends back what it gets, and ends when the other side does.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); _, _ = io.Copy(c, c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

func start(t testing.TB, target string, o Options) *Link {
	t.Helper()
	l, err := New(target, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func dial(t testing.TB, l *Link) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(soon)))
	return c
}

// ping sends b and wants it back.
func ping(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	_, err := c.Write(b)
	require.NoError(t, err)
	got := make([]byte, len(b))
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(b, got))
}

func TestForwards(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, echo(t), Options{}))
	content := bytes.Repeat([]byte("0123456789"), 1<<18)
	go func() {
		_, _ = c.Write(content)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	require.NoError(t, err, "a half that ends leaves the other one open")
	require.True(t, bytes.Equal(content, got))
}

func TestNobodyAtTheTarget(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	c, err := net.Dial("tcp", start(t, l.Addr().String(), Options{}).Addr())
	if err == nil { // else the reset was faster
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// In virtual time, over pipes, the figures are exact.
func TestRoundTripAndBandwidth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 100_000_000
		near, far := Pipe(Options{RoundTrip: 100 * time.Millisecond, Bandwidth: size})

		began := time.Now()
		go func() { _, _ = near.Write([]byte("x")) }()
		_, _ = io.ReadFull(far, make([]byte, 1))
		go func() { _, _ = far.Write([]byte("y")) }()
		_, _ = io.ReadFull(near, make([]byte, 1))
		require.InDelta(t, 100*time.Millisecond, time.Since(began), float64(time.Microsecond))

		began = time.Now()
		go func() {
			for range size / 25_000 {
				_, _ = near.Write(make([]byte, 25_000))
			}
		}()
		_, _ = io.ReadFull(far, make([]byte, size))
		require.InDelta(t, 1050*time.Millisecond, time.Since(began), float64(time.Millisecond))

		near.Close()
		rest, err := io.ReadAll(far)
		require.NoError(t, err)
		require.Empty(t, rest)
		far.Close()
		time.Sleep(time.Second) // the end arrives, too
	})
}

func TestCutAfter(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 1000, 1 << 20} {
		for d, name := range map[Direction]string{Up: "up", Down: "down"} {
			l := start(t, echo(t), Options{})
			c := dial(t, l)
			ping(t, c, []byte("hello"))
			cut := l.CutAfter(d, n)
			go func() { _, _ = c.Write(make([]byte, 2<<20)) }()
			got, _ := io.ReadAll(c)
			select {
			case <-cut.Came():
			case <-time.After(soon):
				t.Fatal(name, n, "no cut")
			}
			require.LessOrEqual(t, int64(len(got)), n, name)
			if d == Down && n <= 1000 { // of more, what the receiver had no room for yet is lost with the connection
				require.EqualValues(t, n, len(got), name)
			}
			require.True(t, cut.Cancel())
			ping(t, dial(t, l), []byte("hello again"))
		}
	}
}

func TestCutThatNeverComes(t *testing.T) {
	t.Parallel()
	l := start(t, echo(t), Options{})
	c := dial(t, l)
	first := l.CutAfter(Up, 0)
	second := l.CutAfter(Up, 100)
	ping(t, c, make([]byte, 99))
	require.False(t, first.Cancel(), "replaced")
	require.False(t, second.Cancel(), "99 bytes are not 100")
	ping(t, c, make([]byte, 1000))
}

func TestResetIsAnError(t *testing.T) {
	t.Parallel()
	l := start(t, echo(t), Options{})
	c := dial(t, l)
	ping(t, c, []byte("hello"))
	l.Reset()
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	c = dial(t, l)
	ping(t, c, []byte("hello"))
	l.Cut()
	_, err = c.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	l := start(t, echo(t), Options{})
	c := dial(t, l)
	ping(t, c, []byte("hello"))
	l.Freeze()
	l.Freeze()
	other := dial(t, l)
	for _, c := range []net.Conn{c, other} {
		_, err := c.Write([]byte("late"))
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		_, err = c.Read(make([]byte, 4))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	l.Thaw()
	l.Thaw()
	for _, c := range []net.Conn{c, other} {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(soon)))
		b := make([]byte, 4)
		_, err := io.ReadFull(c, b)
		require.NoError(t, err)
		require.Equal(t, "late", string(b))
	}
	l.Freeze() // which Close does not wait for
}

// A frozen direction lets requests pass and holds back their answers.
func TestFreezeOne(t *testing.T) {
	t.Parallel()
	l, near, far := connected(t)
	l.FreezeOne(Down)
	for range 2 {
		send(t, near, far, "request")
	}
	_, err := far.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, near.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = near.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	l.Thaw()
	require.NoError(t, near.SetReadDeadline(time.Now().Add(soon)))
	b := make([]byte, 6)
	_, err = io.ReadFull(near, b)
	require.NoError(t, err)
	require.Equal(t, "answer", string(b))
}

// A direction that is closed shows its end, and the other one goes on.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	for _, d := range []Direction{Up, Down} {
		l, near, far := connected(t)
		ends := [2]net.Conn{near, far}
		send(t, near, far, "before")
		send(t, far, near, "before")

		l.HalfClose(d)
		l.HalfClose(d)
		_, err := ends[1-d].Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		send(t, ends[1-d], ends[d], "after")
	}
}

// connected returns a link with a connection, and the two ends of that.
func connected(t testing.TB) (l *Link, near, far net.Conn) {
	t.Helper()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { target.Close() })
	l = start(t, target.Addr().String(), Options{})
	near = dial(t, l)
	far, err = target.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { far.Close() })
	require.NoError(t, far.SetDeadline(time.Now().Add(soon)))
	return l, near, far
}

// send sends a text from one end and wants it at the other.
func send(t testing.TB, from, to net.Conn, text string) {
	t.Helper()
	_, err := from.Write([]byte(text))
	require.NoError(t, err)
	b := make([]byte, len(text))
	_, err = io.ReadFull(to, b)
	require.NoError(t, err)
	require.Equal(t, text, string(b))
}

// BenchmarkLink shows that the link keeps what it says: 100 MB/s at a round trip of 100 ms.
func BenchmarkLink(b *testing.B) {
	c := dial(b, start(b, echo(b), Options{RoundTrip: 100 * time.Millisecond, Bandwidth: 100_000_000}))
	const size = 100_000_000
	b.SetBytes(size)
	for b.Loop() {
		go func() { _, _ = c.Write(make([]byte, size)) }()
		_, _ = io.CopyN(io.Discard, c, size)
	}
}
