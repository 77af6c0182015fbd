package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// serve returns a Wire to a server that answers as the test has it, and VERSION to INIT. They end with the test.
func serve(t testing.TB, answer func(wiretest.Request) []byte) *Wire {
	t.Helper()
	ours, theirs := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		wiretest.Serve(theirs, func(r wiretest.Request) []byte {
			if r.Kind == wiretest.Init {
				return wiretest.VersionPacket(ExtensionFsync, "1")
			}
			return answer(r)
		})
	})
	w := New(ours, 10_000)
	t.Cleanup(func() { w.Close(); wg.Wait() })
	return w
}

// start is serve with a client on the Wire.
func start(t testing.TB, answer func(wiretest.Request) []byte) (*Wire, *sftp.Client) {
	t.Helper()
	w := serve(t, answer)
	client, err := sftp.NewClientPipe(w, w)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close(); _ = client.Wait() })
	return w, client
}

// disk answers as a server on which every file has this content, every directory one entry, and handles are numbered as OpenSSH's.
func disk() func(wiretest.Request) []byte {
	const content = "content"
	var handles handleTable
	listed := false
	return func(r wiretest.Request) []byte {
		switch r.Kind {
		case wiretest.Open, wiretest.OpenDir:
			return wiretest.Packet(wiretest.Handle, r.ID, handles.open())
		case wiretest.Close:
			if !handles.close(r.Text()) {
				return wiretest.StatusPacket(r.ID, wiretest.Failure)
			}
		case wiretest.Read:
			r.Text()
			if off := r.Uint64(); off < uint64(len(content)) {
				return wiretest.Packet(wiretest.Data, r.ID, content[off:min(int(off)+int(r.Uint32()), len(content))])
			}
			return wiretest.StatusPacket(r.ID, wiretest.EOF)
		case wiretest.ReadDir:
			if listed = !listed; listed {
				return wiretest.NamesPacket(r.ID, ".", "..", "f")
			}
			return wiretest.StatusPacket(r.ID, wiretest.EOF)
		case wiretest.Stat, wiretest.Lstat, wiretest.Fstat:
			return wiretest.Packet(wiretest.Attrs, r.ID, wiretest.AttrsOf(uint64(len(content)), 0o100644, 1e9))
		case wiretest.Extended:
			return wiretest.Packet(wiretest.ExtendedReply, r.ID, uint64(0), uint64(1), uint64(2), uint64(3))
		}
		return wiretest.StatusPacket(r.ID, wiretest.OK)
	}
}

// always answers everything with this packet, whose id is the request's.
func always(packet []byte) func(wiretest.Request) []byte {
	return func(r wiretest.Request) []byte {
		b := bytes.Clone(packet)
		binary.BigEndian.PutUint32(b[5:], r.ID)
		return b
	}
}

// Requests of pkg/sftp and pipelined ones go over one channel, and each gets its own answer.
func TestPipelinedRequestsBesideOthers(t *testing.T) {
	t.Parallel()
	w, client := start(t, disk())
	require.True(t, w.Initialized())
	require.Equal(t, map[string]string{ExtensionFsync: "1"}, w.Extensions())
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			switch i % 4 {
			case 0:
				fi, err := client.Stat("f")
				require.NoError(t, err)
				require.EqualValues(t, 7, fi.Size())
			case 1:
				replies, err := w.Exchange(OpenRead("f"), ReadAt(1, 3), Fstat(), CloseHandle())
				if errors.Is(err, ErrNotPredicted) { // while another file is being opened
					return
				}
				require.NoError(t, err)
				data, err := replies[1].Data()
				require.NoError(t, err)
				require.Equal(t, "ont", string(data))
				require.NoError(t, replies[3].Done())
			case 2:
				f, err := client.Open("f")
				require.NoError(t, err)
				b := make([]byte, 7)
				n, err := f.ReadAt(b, 0)
				require.Equal(t, "content", string(b[:n]))
				require.NoError(t, err)
				require.NoError(t, f.Close())
			default:
				replies, err := w.Exchange(Mkdir("d", 0o755), Lstat("d"))
				require.NoError(t, err)
				require.NoError(t, replies[0].Done())
			}
		})
	}
	wg.Wait()
	entries, err := client.ReadDir("d")
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Zero(t, w.Unanswered())
	_, ok := w.Oldest()
	require.False(t, ok)
	require.Positive(t, w.Received())
	require.False(t, w.prediction.failed)
	require.False(t, w.Spent())
}

// What is put in the queue goes out together with the next request, before it.
func TestEnqueue(t *testing.T) {
	t.Parallel()
	var kinds []byte
	answer := disk()
	w, client := start(t, func(r wiretest.Request) []byte {
		kinds = append(kinds, r.Kind)
		return answer(r)
	})
	var limits Limits
	require.NoError(t, w.Enqueue(func(_ int, r Reply) { limits, _ = r.Limits() }, AskLimits()))
	require.EqualValues(t, 1, w.Sent())
	_, err := client.Stat("f")
	require.NoError(t, err)
	require.Equal(t, []byte{wiretest.Extended, wiretest.Stat}, kinds)
	require.Equal(t, Limits{1, 2, 3}, limits)
	require.EqualValues(t, 2, w.Sent())

	closed := make(chan bool)
	require.NoError(t, w.Send(func(_ int, r Reply) { closed <- r.Done() == nil }, CloseHandle().OnHandle("h")))
	require.False(t, <-closed, "nobody has that handle")
}

// Requests follow INIT at once. The server's VERSION is known when it comes, and pkg/sftp does not see it.
func TestPipelineInit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		requests := make(chan wiretest.Request, 2)
		go func() {
			for range cap(requests) {
				r, _ := wiretest.ReadRequest(theirs)
				requests <- r
			}
		}()
		w := New(ours, MaxListing)
		w.PipelineInit()
		client, err := sftp.NewClientPipe(w, w)
		require.NoError(t, err)
		stat := make(chan error)
		go func() { _, err := client.Stat("f"); stat <- err }()
		require.False(t, w.Initialized())
		require.Nil(t, w.Extensions())
		require.EqualValues(t, wiretest.Init, (<-requests).Kind)
		second := <-requests
		oldest, ok := w.Oldest()
		require.True(t, ok)
		require.Equal(t, HashPath("f"), oldest.Path)
		_, err = theirs.Write(wiretest.VersionPacket("a", "1", "b", ""))
		require.NoError(t, err)
		<-w.InitDone()
		require.Equal(t, map[string]string{"a": "1", "b": ""}, w.Extensions())
		_, err = theirs.Write(wiretest.Packet(wiretest.Attrs, second.ID, uint32(0)))
		require.NoError(t, err)
		require.NoError(t, <-stat)
		theirs.Close()
		_ = client.Wait()
		require.Equal(t, io.EOF, w.Explain(io.EOF), "nothing more is known")
	})
}

// A channel that is not started says so, whatever comes in place of VERSION.
func TestInitThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sends, says string }{
		"nothing":             {"", "starting SFTP: the server ended it"},
		"a part":              {"\x00\x00\x00\x05\x02", "starting SFTP: the server ended it"},
		"another version":     {"\x00\x00\x00\x05\x02\x00\x00\x00\x02", "starting SFTP: the server speaks version 2"},
		"words":               {"Welcome to this host\n", "starting SFTP: the server sent a malformed packet"},
		"an extension cut":    {"\x00\x00\x00\x08\x02\x00\x00\x00\x03abc", "starting SFTP: the server sent a malformed packet"},
		"a version cut short": {"\x00\x00\x00\x09\x02\x00\x00\x00\x03", "starting SFTP: the server ended it"},
		"an answer":           {"\x00\x00\x00\x05\x65\x00\x00\x00\x4d", "starting SFTP: the server answers what it was not asked"},
	} {
		w := New(canned{strings.NewReader(c.sends)}, MaxListing)
		w.PipelineInit()
		_, err := io.Copy(io.Discard, w)
		require.EqualError(t, err, c.says+strings.TrimPrefix(err.Error(), c.says), name)
		require.Equal(t, err, w.Explain(io.EOF), name)
		require.False(t, w.Initialized(), name)
	}
	w := New(canned{strings.NewReader("")}, MaxListing)
	w.PipelineInit()
	require.EqualError(t, w.Explain(io.EOF), "starting SFTP: the server ended it", "nobody has read")
}

// canned is a channel on which the server has said all it will say.
type canned struct{ io.Reader }

func (canned) Write(b []byte) (int, error) { return len(b), nil }
func (canned) Close() error                { return nil }

// What a server cannot mean ends the channel, and says why. What it may mean is an answer, in the words of pkg/sftp.
func TestWhatAServerCannotMean(t *testing.T) {
	t.Parallel()
	const long = 300
	read := func(c *sftp.Client) error {
		f, err := c.Open("f")
		if err != nil {
			return err
		}
		_, err = f.ReadAt(make([]byte, 4), 0)
		return err
	}
	list := func(c *sftp.Client) error { _, err := c.ReadDir("d"); return err }
	stat := func(c *sftp.Client) error { _, err := c.Stat("f"); return err }
	only := func(kind byte, packet []byte) func(wiretest.Request) []byte {
		honest := disk()
		return func(r wiretest.Request) []byte {
			if r.Kind != kind {
				return honest(r)
			}
			return always(packet)(r)
		}
	}
	for name, c := range map[string]struct {
		answer func(wiretest.Request) []byte
		call   func(*sftp.Client) error
		ends   bool
		says   string
	}{
		"OK for a file":         {only(wiretest.Open, wiretest.StatusPacket(0, wiretest.OK)), read, true, "says OK where an answer is due"},
		"another id":            {func(r wiretest.Request) []byte { return wiretest.StatusPacket(r.ID+1, 0) }, stat, true, "not asked"},
		"a second VERSION":      {always(wiretest.VersionPacket()), stat, true, "malformed"},
		"too short a packet":    {always([]byte{0, 0, 0, 4, 101, 0, 0, 0, 0}), stat, true, "malformed packet of 4 bytes"},
		"too long a packet":     {always([]byte{0, 4, 0, 1, 101, 0, 0, 0, 0}), stat, true, "malformed packet of 262145 bytes"},
		"a status cut short":    {always(wiretest.Packet(wiretest.Status, 0, []byte{0, 0})), stat, true, "malformed"},
		"data without a length": {only(wiretest.Read, wiretest.Packet(wiretest.Data, 0)), read, true, "malformed"},
		"less data than said":   {only(wiretest.Read, wiretest.Packet(wiretest.Data, 0, uint32(4), []byte("abc"))), read, true, "malformed"},
		"more than asked for":   {only(wiretest.Read, wiretest.Packet(wiretest.Data, 0, "12345")), read, true, "sent 5 bytes, 4 were asked for"},
		"a long handle":         {only(wiretest.Open, wiretest.Packet(wiretest.Handle, 0, strings.Repeat("h", maxHandle+1))), read, true, "a handle of 4097 bytes"},
		"names cut short":       {only(wiretest.ReadDir, wiretest.Packet(wiretest.Name, 0, uint32(2), "a", "", uint32(0))), list, true, "malformed"},

		"no data":               {only(wiretest.Read, wiretest.Packet(wiretest.Data, 0, "")), read, false, "EOF"},
		"the longest handle":    {only(wiretest.Open, wiretest.Packet(wiretest.Handle, 0, strings.Repeat("h", maxHandle))), read, false, ""},
		"the end of no list":    {always(wiretest.StatusPacket(0, wiretest.EOF)), stat, false, "SSH_FX_FAILURE"},
		"an error of our own":   {always(wiretest.StatusPacket(0, firstLocalStatus)), stat, false, "SSH_FX_FAILURE"},
		"a status without why":  {always(wiretest.Packet(wiretest.Status, 0, uint32(wiretest.Failure))), stat, false, "SSH_FX_FAILURE"},
		"long words":            {always(wiretest.Packet(wiretest.Status, 0, uint32(4), strings.Repeat("w", long), "")), stat, false, strings.Repeat("w", MaxMessage) + `"`},
		"attributes of no size": {always(wiretest.Packet(wiretest.Attrs, 0, uint32(0))), stat, false, ""},
	} {
		w, client := start(t, c.answer)
		err := c.call(client)
		if c.ends {
			require.Error(t, err, name)
			require.ErrorContains(t, w.Explain(err), c.says, name)
			continue
		}
		require.NotErrorIs(t, err, sftp.ErrSSHFxConnectionLost, name)
		require.Equal(t, err, w.Explain(err), name)
		if c.says != "" {
			require.ErrorContains(t, err, c.says, name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

// A name that is none fails the listing alone. pkg/sftp gets a status for it, of which the Wire knows what it stands for, once.
func TestLocalErrors(t *testing.T) {
	t.Parallel()
	honest, name := disk(), "a/b"
	w, client := start(t, func(r wiretest.Request) []byte {
		if r.Kind == wiretest.ReadDir {
			return wiretest.NamesPacket(r.ID, "good", name)
		}
		return honest(r)
	})
	for i := range 3 {
		_, err := client.ReadDir("d")
		var status *sftp.StatusError
		require.ErrorAs(t, err, &status)
		require.EqualValues(t, firstLocalStatus+i, status.Code)
		require.Equal(t, CheckName(name), w.LocalError(status.Code))
		require.NoError(t, w.LocalError(status.Code))
	}
	replies, err := w.Exchange(OpenDir("d"), ReadDir(), CloseHandle())
	require.NoError(t, err)
	_, err = replies[1].Entries()
	require.Equal(t, CheckName(name), err)
	_, err = client.Stat("f")
	require.NoError(t, err, "the channel is good")
}

// Of a handle that was not predicted, what was sent on the prediction counts for nothing; there is no other prediction then.
func TestWrongPrediction(t *testing.T) {
	t.Parallel()
	honest := disk()
	w, client := start(t, func(r wiretest.Request) []byte {
		if r.Kind == wiretest.Open {
			return wiretest.Packet(wiretest.Handle, r.ID, "another")
		}
		return honest(r)
	})
	replies, err := w.Exchange(OpenRead("f"), Fstat(), CloseHandle())
	require.NoError(t, err)
	_, err = replies[0].Handle()
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = w.Exchange(OpenRead("f"), Fstat(), CloseHandle())
	require.ErrorIs(t, err, ErrNotPredicted)

	replies, err = w.Exchange(OpenRead("f"))
	require.NoError(t, err)
	handle, err := replies[0].Handle()
	require.NoError(t, err)
	replies, err = w.Exchange(Fstat().OnHandle(handle))
	require.NoError(t, err)
	_, err = replies[0].Info("f")
	require.NoError(t, err)
	_, err = client.Stat("f")
	require.NoError(t, err)
}

// What waits for an answer, or for its turn, ends with the channel. A request that is about an open file says which.
func TestCloseEndsWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		honest := disk()
		w, client := start(t, func(r wiretest.Request) []byte {
			if r.Kind == wiretest.Fstat {
				return nil
			}
			return honest(r)
		})
		f, err := client.Open("/f")
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { _, err := f.Stat(); require.Error(t, err) })
		synctest.Wait()
		for range 2 * MaxRequests {
			wg.Go(func() { _, err := w.Exchange(Fstat().OnHandle("h")); require.Error(t, err) })
		}
		synctest.Wait()
		require.Equal(t, MaxRequests, w.Unanswered())
		oldest, ok := w.Oldest()
		require.True(t, ok)
		require.Equal(t, Pending{Number: 1, File: HashPath("/f")}, oldest)
		w.AwaitWrites()
		require.NoError(t, w.Close())
		require.NoError(t, w.Close())
		wg.Wait()
		_, err = w.Exchange(Lstat("/g"))
		require.ErrorIs(t, err, io.ErrClosedPipe)
	})
}

// A limit holds for all requests, also for those that wait for others to go with.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 3, MaxRequests} {
		synctest.Test(t, func(t *testing.T) {
			w := serve(t, func(wiretest.Request) []byte { return nil })
			w.Limit(most)
			client, err := sftp.NewClientPipe(w, w)
			require.NoError(t, err)
			require.NoError(t, w.Enqueue(func(int, Reply) {}, Lstat("f")))
			var wg sync.WaitGroup
			for range 2 * MaxRequests {
				wg.Go(func() { _, err := w.Exchange(Lstat("f")); require.Error(t, err) })
			}
			synctest.Wait()
			require.Equal(t, most, w.Unanswered())
			require.Zero(t, w.Depth())
			require.NoError(t, w.Close())
			wg.Wait()
			_ = client.Wait()
		})
	}
}

// A request that waits for its turn ends also when the channel ends in the middle of an answer.
func TestChannelEndsInsideAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		waiting := make(chan struct{})
		honest := disk()
		var wg sync.WaitGroup
		wg.Go(func() {
			wiretest.Serve(theirs, func(r wiretest.Request) []byte {
				switch r.Kind {
				case wiretest.Init:
					return wiretest.VersionPacket()
				case wiretest.Read:
					<-waiting
					b := wiretest.Packet(wiretest.Data, r.ID, strings.Repeat("x", 1000))
					_, _ = theirs.Write(b[:500])
					theirs.Close()
					return nil
				}
				return honest(r)
			})
		})
		w := New(ours, MaxListing)
		w.Limit(1)
		client, err := sftp.NewClientPipe(w, w)
		require.NoError(t, err)
		f, err := client.Open("/f")
		require.NoError(t, err)
		wg.Go(func() { _, err := f.ReadAt(make([]byte, 1000), 0); require.Error(t, err) })
		synctest.Wait()
		wg.Go(func() { _, err := w.Exchange(Lstat("/f")); require.Error(t, err) }) // gets the turn of the READ
		synctest.Wait()
		wg.Go(func() { _, err := client.Lstat("/f"); require.Error(t, err) })
		synctest.Wait()
		close(waiting)
		wg.Wait()
		_ = client.Wait()
		client.Close()
	})
}

func TestDepth(t *testing.T) {
	t.Parallel()
	w, _ := start(t, disk())
	for _, c := range []struct{ sent, depth int }{{1, 1}, {5, 5}, {2, 5}} {
		_, err := w.Exchange(slices.Repeat([]Request{Lstat("f")}, c.sent)...)
		require.NoError(t, err)
		require.Equal(t, c.depth, w.Depth())
	}
}

// A channel whose server does not react to its end is given up all the same.
func TestCloseDoesNotWaitForTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := &deafChannel{ends: make(chan struct{})}
		w := New(deaf, MaxListing)
		read := make(chan error)
		go func() { _, err := w.Read(make([]byte, 1)); read <- err }()
		synctest.Wait()
		w.Close()
		require.Equal(t, io.EOF, <-read)
		close(deaf.ends)
	})
}

type deafChannel struct{ ends chan struct{} }

func (d *deafChannel) Read([]byte) (int, error)    { <-d.ends; return 0, io.EOF }
func (d *deafChannel) Write(b []byte) (int, error) { return len(b), nil }
func (d *deafChannel) Close() error                { return nil }

// Where pkg/sftp has used up the ids, there are no pipelined requests. Those that there are take none that is in use.
func TestIDs(t *testing.T) {
	t.Parallel()
	w := New(canned{strings.NewReader("")}, MaxListing)
	w.lastID = lastOwnID - 1
	w.pending[firstOwnID] = pending{}
	require.EqualValues(t, uint32(lastOwnID), w.nextID())
	require.EqualValues(t, firstOwnID+1, w.nextID())
	require.False(t, w.Spent())
	_, err := w.Write(wiretest.Packet(wiretest.Lstat, spentID, "f"))
	require.NoError(t, err)
	require.True(t, w.Spent())
	_, err = w.Write([]byte("short"))
	require.ErrorIs(t, err, errMalformed)
}

// A write that fails is not gone on with. Large packets take no memory afterwards.
func TestWriteThatFails(t *testing.T) {
	t.Parallel()
	broken := &brokenChannel{left: 1}
	w := New(broken, MaxListing)
	require.NoError(t, w.Send(func(int, Reply) {}, WriteAt(0, make([]byte, maxSpare)).OnHandle("h")))
	require.Nil(t, w.spare)
	require.ErrorIs(t, w.Send(func(int, Reply) {}, Lstat("f")), os.ErrDeadlineExceeded)
	_, err := w.Write(wiretest.Packet(wiretest.Lstat, 1, "f"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, w.Enqueue(func(int, Reply) {}, Lstat("f")))
	_, err = w.Write(wiretest.Packet(wiretest.Lstat, 2, "f"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	w.AwaitWrites()
}

type brokenChannel struct {
	canned
	left int // writes that succeed
}

func (c *brokenChannel) Write(b []byte) (int, error) {
	if c.left--; c.left < 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return len(b), nil
}

func TestBadAnswer(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("call: %w", BadAnswer("bad"))
	require.ErrorIs(t, err, fs.ErrInvalid)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "call: bad")
}
