package sftpfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// An oddServer serves one file, "f", with the habits that real servers have.
type oddServer struct {
	mu      sync.Mutex
	content []byte

	most   int   // bytes given in answer to one READ; 0: all
	stops  int64 // where it says that the file ends; 0: where it does
	fullAt int64 // writes from here on fail; 0: none does
	reads  atomic.Int64
	names  []string // listed beside f

	both  chan struct{} // not nil: the first operation waits for a second one, which closes it
	begun atomic.Int64
}

// start returns an Fs over the server, through a pipe.
func (o *oddServer) start(t testing.TB) *sftpfs.Fs {
	t.Helper()
	here, there := net.Pipe()
	server := sftp.NewRequestServer(there, sftp.Handlers{FileGet: o, FilePut: o, FileCmd: o, FileList: o})
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(); there.Close() }()
	client, err := sftp.NewClientPipe(here, here)
	require.NoError(t, err)
	fsys := sftpfs.NewClient(client, "/")
	t.Cleanup(func() { fsys.Close(); client.Close(); here.Close(); <-done })
	return fsys
}

func (o *oddServer) Fileread(*sftp.Request) (io.ReaderAt, error)           { return o, nil }
func (o *oddServer) Filewrite(*sftp.Request) (io.WriterAt, error)          { return o, nil }
func (o *oddServer) OpenFile(*sftp.Request) (sftp.WriterAtReaderAt, error) { return o, nil }
func (o *oddServer) Filecmd(*sftp.Request) error                           { return sftp.ErrSSHFxOpUnsupported }
func (o *oddServer) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	return oddList{o, r.Method}, nil
}

// meet returns when two operations are under way.
func (o *oddServer) meet() {
	if o.both == nil {
		return
	}
	if o.begun.Add(1) == 2 {
		close(o.both)
	}
	select {
	case <-o.both:
	case <-time.After(soon):
		panic("one operation at a time")
	}
}

func (o *oddServer) ReadAt(b []byte, off int64) (int, error) {
	o.meet()
	o.reads.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	end := int64(len(o.content))
	if o.stops > 0 {
		end = min(end, o.stops)
	}
	if off >= end {
		return 0, io.EOF
	}
	if o.most > 0 {
		b = b[:min(len(b), o.most)]
	}
	return copy(b, o.content[off:end]), nil
}

func (o *oddServer) WriteAt(b []byte, off int64) (int, error) {
	o.meet()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fullAt > 0 && off >= o.fullAt {
		return 0, errors.New("disk full")
	}
	if grow := off + int64(len(b)) - int64(len(o.content)); grow > 0 {
		o.content = append(o.content, make([]byte, grow)...)
	}
	return copy(o.content[off:], b), nil
}

type oddList struct {
	o      *oddServer
	method string
}

func (l oddList) ListAt(page []fs.FileInfo, off int64) (int, error) {
	l.o.mu.Lock()
	defer l.o.mu.Unlock()
	all := []fs.FileInfo{oddInfo{"f", int64(len(l.o.content))}}
	if l.method == "List" {
		for _, name := range l.o.names {
			all = append(all, oddInfo{name, 0})
		}
	}
	if off >= int64(len(all)) {
		return 0, io.EOF
	}
	return copy(page, all[off:]), nil
}

type oddInfo struct {
	name string
	size int64
}

func (i oddInfo) Name() string     { return i.name }
func (i oddInfo) Size() int64      { return i.size }
func (oddInfo) Mode() fs.FileMode  { return 0o644 }
func (oddInfo) ModTime() time.Time { return time.Unix(1e9, 0) }
func (oddInfo) IsDir() bool        { return false }
func (oddInfo) Sys() any           { return nil }

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

const size = 3<<20 + 12345

// A server may answer a READ with less than was asked; that is not the end of the file.
func TestShortAnswers(t *testing.T) {
	t.Parallel()
	server := &oddServer{content: random(size), most: 20000}
	fsys := server.start(t)

	f, err := fsys.Open("f")
	require.NoError(t, err)
	var copied bytes.Buffer
	n, err := io.Copy(&copied, f)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
	require.True(t, bytes.Equal(server.content, copied.Bytes()))

	b := make([]byte, size)
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(server.content, b))
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	b, err = io.ReadAll(struct{ io.Reader }{f})
	require.NoError(t, err)
	require.True(t, bytes.Equal(server.content, b))
	require.NoError(t, f.Close())
}

// An end of the file before the size that the server itself states is an error, not a shorter file.
func TestEarlyEnd(t *testing.T) {
	t.Parallel()
	server := &oddServer{content: random(size), stops: 2<<20 + 1}
	fsys := server.start(t)
	f, err := fsys.Open("f")
	require.NoError(t, err)
	defer f.Close()
	n, err := io.Copy(io.Discard, f)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualValues(t, server.stops, n)
	_, err = f.ReadAt(make([]byte, size), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = io.ReadAll(struct{ io.Reader }{f})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// Whatever reader the bytes come from, many packets are under way at a time.
func TestCopyIsConcurrent(t *testing.T) {
	t.Parallel()
	content := random(size)
	server := &oddServer{both: make(chan struct{})}
	fsys := server.start(t)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	n, err := io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
	require.NoError(t, err)
	require.EqualValues(t, size, n)
	require.True(t, bytes.Equal(content, server.content))
	at, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	require.EqualValues(t, size, at)
	require.NoError(t, f.Close())

	server.both = make(chan struct{})
	server.begun.Store(0)
	f, err = fsys.Open("f")
	require.NoError(t, err)
	n, err = io.Copy(io.Discard, f)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
	require.NoError(t, f.Close())
}

// What is counted has arrived, all of it.
func TestFailedWriteCountsWithoutGap(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer, []byte) (int64, error){
		"copy": func(w io.Writer, b []byte) (int64, error) { return io.Copy(w, bytes.NewReader(b)) },
		"write": func(w io.Writer, b []byte) (int64, error) {
			n, err := w.Write(b)
			return int64(n), err
		},
	} {
		content := random(size)
		server := &oddServer{fullAt: 1 << 20}
		f, err := server.start(t).Create("f")
		require.NoError(t, err)
		n, err := write(f, content)
		require.Error(t, err, name)
		require.ErrorContains(t, err, "write f: ", name)
		require.NotErrorIs(t, err, sftpfs.ErrUnavailable, name)
		require.EqualValues(t, 1<<20, n, name)
		require.True(t, bytes.Equal(content[:n], server.content[:n]), name)
		require.NoError(t, f.Close(), name)
	}
}

// How far an upload has got can be asked while it runs: never more than what has arrived, never far behind.
func TestAcknowledged(t *testing.T) {
	t.Parallel()
	const packet, inFlight = 32 << 10, 64
	content := random(4 << 20)
	server := &oddServer{fullAt: 3 << 20}
	f, err := server.start(t).Create("f")
	require.NoError(t, err)
	file := f.(*sftpfs.File)
	require.Zero(t, file.Acknowledged())

	source, read := bytes.NewReader(content), int64(0)
	n, err := file.ReadFrom(readerFunc(func(b []byte) (int, error) {
		// This is asked for once all packets but those in flight are acknowledged.
		acknowledged := file.Acknowledged()
		require.GreaterOrEqual(t, acknowledged, read-packet*inFlight)
		server.mu.Lock()
		require.True(t, bytes.HasPrefix(server.content, content[:acknowledged]))
		server.mu.Unlock()
		n, err := source.Read(b)
		read += int64(n)
		return n, err
	}))
	require.Error(t, err)
	require.EqualValues(t, 3<<20, n)
	require.Equal(t, n, file.Acknowledged())

	_, err = file.Seek(10, io.SeekStart)
	require.NoError(t, err)
	_, err = file.ReadFrom(readerFunc(func([]byte) (int, error) {
		require.Zero(t, file.Acknowledged(), "it begins anew")
		return 0, io.EOF
	}))
	require.NoError(t, err)
	_, err = file.ReadFrom(bytes.NewReader(content[:100]))
	require.NoError(t, err)
	require.EqualValues(t, 100, file.Acknowledged())
	require.NoError(t, f.Close())
}

// An error of the other side's is that side's, as io.Copy would have it.
func TestCopyReturnsForeignErrors(t *testing.T) {
	t.Parallel()
	server := &oddServer{content: random(size)}
	fsys := server.start(t)
	foreign := errors.New("foreign")
	f, err := fsys.OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = io.Copy(writerFunc(func(b []byte) (int, error) { return 0, foreign }), f)
	require.Equal(t, foreign, err)
	n, err := io.Copy(f, io.MultiReader(bytes.NewReader([]byte("some")), readerFunc(func([]byte) (int, error) { return 0, foreign })))
	require.Equal(t, foreign, err)
	require.EqualValues(t, 4, n)
}

type (
	writerFunc func([]byte) (int, error)
	readerFunc func([]byte) (int, error)
)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }
func (r readerFunc) Read(b []byte) (int, error)  { return r(b) }

// Such servers take a READ on a handle that is open for writing alone for a WRITE of zeros.
func TestNoReadOnWriteOnly(t *testing.T) {
	t.Parallel()
	server := &oddServer{content: []byte("content")}
	fsys := server.start(t)
	f, err := fsys.OpenFile("f", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Read(make([]byte, 4))
	require.ErrorContains(t, err, "bad file descriptor")
	_, err = f.ReadAt(make([]byte, 4), 0)
	require.ErrorContains(t, err, "bad file descriptor")
	_, err = f.(io.WriterTo).WriteTo(io.Discard)
	require.ErrorContains(t, err, "bad file descriptor")
	require.Zero(t, server.reads.Load())
	require.Equal(t, "content", string(server.content))
}

// Names in a listing are the server's data: none can lead out of the directory.
func TestListedNames(t *testing.T) {
	t.Parallel()
	const nothing, refused = "", "refused"
	for name, want := range map[string]string{
		"ok": "ok", " ": " ", "-": "-", "a\\b": "a\\b", "é": "é", ".": nothing, "..": nothing,
		"": refused, "/": refused, "a\x00b": refused, "x/..": refused, "x/.": refused,
		"../x": "x", "/etc/passwd": "passwd", "a/b": "b",
	} {
		server := &oddServer{names: []string{name}}
		d, err := server.start(t).Open("/")
		require.NoError(t, err)
		names, err := d.Readdirnames(-1)
		require.NoError(t, d.Close())
		switch want {
		case refused:
			require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
			require.ErrorContains(t, err, "readdir /: ", "%q", name)
		case nothing:
			require.NoError(t, err, "%q", name)
			require.Equal(t, []string{"f"}, names, "%q", name)
		default:
			require.NoError(t, err, "%q", name)
			require.Equal(t, []string{"f", want}, names, "%q", name)
		}
	}
}
