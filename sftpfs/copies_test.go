package sftpfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// copies are files that are copied at the same time, each with content of its own.
type copies [][]byte

func newCopies(files, size int) copies {
	all := random(files + size)
	c := make(copies, files)
	for i := range c {
		c[i] = all[i : i+size]
	}
	return c
}

func (copies) name(i int) string { return fmt.Sprintf("f%02d", i) }

// copy opens all files, and then has all of them copied. It calls meanwhile while they are.
func (c copies) copy(
	t *testing.T, fsys *sftpfs.Fs, flag int, do func(f afero.File, content []byte) error, meanwhile func(),
) {
	t.Helper()
	files := make([]afero.File, len(c))
	var opening, copying errgroup.Group
	for i := range c {
		opening.Go(func() (err error) {
			files[i], err = fsys.OpenFile(c.name(i), flag, 0o666)
			return err
		})
	}
	require.NoError(t, opening.Wait())
	for i, f := range files {
		copying.Go(func() error { return errors.Join(do(f, c[i]), f.Close()) })
	}
	meanwhile()
	require.NoError(t, copying.Wait())
}

// download has all files read. Each reader waits with its first bytes until begun has returned.
func (c copies) download(t *testing.T, fsys *sftpfs.Fs, begun func()) {
	t.Helper()
	goOn := make(chan struct{})
	c.copy(t, fsys, os.O_RDONLY, func(f afero.File, content []byte) error {
		got := bytes.NewBuffer(make([]byte, 0, len(content)))
		if _, err := io.Copy(writerFunc(func(b []byte) (int, error) {
			<-goOn
			return got.Write(b)
		}), f); err != nil {
			return err
		}
		if !bytes.Equal(content, got.Bytes()) {
			return fmt.Errorf("%s is not what it was", f.Name())
		}
		return nil
	}, func() {
		defer close(goOn)
		begun()
	})
}

// upload has all files written. What is written waits after its first bytes until begun has returned.
func (c copies) upload(t *testing.T, fsys *sftpfs.Fs, begun func()) {
	t.Helper()
	goOn := make(chan struct{})
	c.copy(t, fsys, os.O_WRONLY|os.O_CREATE|os.O_EXCL, func(f afero.File, content []byte) error {
		_, err := io.Copy(f, &pausing{SectionReader: io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content))), goOn: goOn})
		return err
	}, func() {
		defer close(goOn)
		begun()
	})
}

// pausing is a reader that knows its size, and after its first bytes waits until it may go on.
type pausing struct {
	*io.SectionReader
	goOn  <-chan struct{}
	begun bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.begun {
		<-p.goOn
	}
	p.begun = true
	return p.SectionReader.Read(b)
}

// requireAllChannels waits until there are as many channels as there can be.
func requireAllChannels(t *testing.T, fsys *sftpfs.Fs) {
	t.Helper()
	require.Eventually(t, func() bool {
		channels, _ := fsys.Channels()
		return channels == sftpfs.DefaultMaxChannels
	}, soon, time.Millisecond)
}

// requireSpread has files copied by do, and requires that all channels carry some of them. The first one may carry more: each
// file starts on it, and goes on there until it is open on others, which takes long on a slow machine.
func requireSpread(t *testing.T, fsys *sftpfs.Fs, do func(begun func())) {
	t.Helper()
	var before []uint64
	var receiving func() []uint64
	do(func() {
		requireAllChannels(t, fsys) // so that a slow machine does not do with fewer
		receiving = fsys.Receiving()
		before = receiving()
	})
	carried, sum := receiving(), uint64(0)
	for i := range carried {
		carried[i] -= before[i]
		sum += carried[i]
	}
	t.Logf("bytes by channel: %d", carried)
	share := (sum - carried[0]) / (sftpfs.DefaultMaxChannels - 1)
	require.Less(t, carried[0], sum*3/4)
	for _, n := range carried[1:] {
		require.Greater(t, n, share/8)
		require.Less(t, n, share*3)
	}
}

// manyLarge are files none of which is worth a second channel by itself.
func manyLarge() copies {
	if os.Getenv("SYNCFS_FULL") == "1" {
		return newCopies(20, 8<<20)
	}
	return newCopies(20, 4<<20)
}

// Files that are opened when there is one channel do not stay on it.
func TestDownloadsAreSpread(t *testing.T) {
	t.Parallel()
	c := manyLarge()
	server := opensshtest.Start(t, opensshtest.Options{})
	for i, content := range c {
		require.NoError(t, os.WriteFile(filepath.Join(server.Root, c.name(i)), content, 0o644))
	}
	_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 100 * time.Millisecond})
	fsys := newFs(t, cfg)
	requireSpread(t, fsys, func(begun func()) { c.download(t, fsys, begun) })
}

// So are files that are written. What a channel has carried shows in the answers: there is one to each packet.
func TestUploadsAreSpread(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 100 * time.Millisecond})
	fsys := newFs(t, cfg)
	c := manyLarge()
	requireSpread(t, fsys, func(begun func()) { c.upload(t, fsys, begun) })
	c.requireOn(t, server)
}

func (c copies) requireOn(t *testing.T, server *opensshtest.Server) {
	t.Helper()
	for i, content := range c {
		onDisk, err := os.ReadFile(filepath.Join(server.Root, c.name(i)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, onDisk), c.name(i))
	}
}

// What a server does not allow is done without.
func TestCopiesOnNarrowServer(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]opensshtest.Options{
		"one channel":              {Config: []string{"MaxSessions 1"}},
		"three channels":           {Config: []string{"MaxSessions 3"}},
		"few handles on a channel": {Subsystem: script(t, "ulimit -n 16")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, options)
			_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 15 * time.Millisecond})
			fsys := newFs(t, cfg)
			c := newCopies(10, 4<<20)
			c.upload(t, fsys, func() {})
			c.requireOn(t, server)
			c.download(t, fsys, func() {})
		})
	}
}

// A channel that ends in the middle of a download takes nothing with it, and the others go on.
func TestLostParallelChannel(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	server := opensshtest.Start(t, opensshtest.Options{Subsystem: script(t, "echo $$ >>'"+pids+"'")})
	_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 20 * time.Millisecond})
	fsys := newFs(t, cfg)
	const quarter = sftpfs.DefaultMaxChannels * 2 << 20 // of a file that is worth all channels
	content := random(4 * quarter)
	require.NoError(t, os.WriteFile(filepath.Join(server.Root, "f"), content, 0o644))
	f, err := fsys.Open("f")
	require.NoError(t, err)

	var got bytes.Buffer
	var carried []uint64 // when the channel ends, without it
	_, err = io.Copy(writerFunc(func(b []byte) (int, error) {
		if carried == nil && got.Len() >= quarter {
			requireAllChannels(t, fsys)
		}
		if carried == nil && got.Len() >= 2*quarter { // what is read since went over all of them
			all, err := os.ReadFile(pids)
			require.NoError(t, err)
			lines := strings.Fields(string(all))
			require.NoError(t, exec.Command("kill", "-KILL", lines[len(lines)-1]).Run())
			require.Eventually(t, func() bool {
				carried = fsys.Received()
				return len(carried) == sftpfs.DefaultMaxChannels-1
			}, soon, time.Millisecond)
		}
		return got.Write(b)
	}), f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.True(t, bytes.Equal(content, got.Bytes()))
	for i, n := range fsys.Received() {
		require.Greater(t, n, carried[i]+quarter/2/sftpfs.DefaultMaxChannels)
	}
}

// What has taken the name of a file meanwhile is not read for it, over whatever channel.
func TestParallelChannelsReadNoOtherFile(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 20 * time.Millisecond})
	fsys := newFs(t, cfg)
	content := random(64 << 20)
	name := filepath.Join(server.Root, "f")
	require.NoError(t, os.WriteFile(name, content, 0o644))
	require.NoError(t, os.Chtimes(name, time.Time{}, time.Unix(1e9, 0)))
	f, err := fsys.Open("f")
	require.NoError(t, err)
	require.NoError(t, os.Remove(name))
	require.NoError(t, os.WriteFile(name, make([]byte, len(content)), 0o644))

	var got bytes.Buffer
	_, err = io.Copy(&got, f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	channels, _ := fsys.Channels()
	require.Greater(t, channels, 1)
	require.True(t, bytes.Equal(content, got.Bytes()))
}
