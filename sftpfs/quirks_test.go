package sftpfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// What is stated of a server need not be found out: nothing fails, and no request is in vain.
func TestStatedQuirks(t *testing.T) {
	t.Parallel()
	content := random(1 << 20)
	calls := func(fsys *sftpfs.Fs) error {
		var all errgroup.Group
		for i := range 200 {
			all.Go(func() error { return afero.WriteFile(fsys, fmt.Sprint(i), nil, 0o666) })
		}
		return all.Wait()
	}
	for name, c := range map[string]struct {
		quirks    sftpfs.Quirks
		character sftptest.Character
		call      func(fsys *sftpfs.Fs) error
		kind      sftptest.Kind // of which so many are sent
		requests  int
		unstated  bool // the call fails if nothing is stated
	}{
		"MaxRequests": {
			quirks: sftpfs.Quirks{MaxRequests: 8}, character: sftptest.FewRequests(8),
			call: func(fsys *sftpfs.Fs) error {
				got, err := afero.ReadFile(fsys, "f")
				if err == nil && !bytes.Equal(content, got) {
					return errors.New("other content")
				}
				return err
			},
			unstated: true,
		},
		"MaxRequests 1": {
			quirks: sftpfs.Quirks{MaxRequests: 1}, character: sftptest.FewRequests(1),
			call:     func(fsys *sftpfs.Fs) error { _, err := afero.ReadFile(fsys, "f"); return err },
			unstated: true,
		},
		"MaxFiles": {
			quirks: sftpfs.Quirks{MaxFiles: 2}, character: sftptest.FewFiles(2),
			call: calls, kind: sftptest.Open, requests: 200,
		},
		"NoFstat": {
			quirks: sftpfs.Quirks{NoFstat: true}, character: sftptest.NoFstat(),
			call: func(fsys *sftpfs.Fs) error { _, err := afero.ReadFile(fsys, "f"); return err },
			kind: sftptest.Fstat,
		},
		"SymlinkOrder": {
			quirks: sftpfs.Quirks{SymlinkOrder: sftpfs.LinkFirst}, character: sftptest.SwappedSymlink(),
			call: func(fsys *sftpfs.Fs) error {
				err := fsys.SymlinkIfPossible("f", "l")
				if err == nil {
					_, err = fsys.ReadlinkIfPossible("l")
				}
				return err
			},
			kind: sftptest.Symlink, requests: 1,
		},
		"Refused": {
			quirks: sftpfs.Quirks{Refused: []string{"setstat times"}}, character: sftptest.NoSetstat(),
			call: func(fsys *sftpfs.Fs) error {
				if err := fsys.Chtimes("f", time.Now(), time.Now()); !errors.Is(err, errors.ErrUnsupported) {
					return fmt.Errorf("not refused: %w", err)
				}
				return nil
			},
			kind: sftptest.Setstat,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked counter
			server := sftptest.Start(t, asked.character(), c.character)
			put(t, server, "/f", string(content))
			cfg := server.Config()
			cfg.Quirks = c.quirks
			require.NoError(t, c.call(newFs(t, cfg)))
			require.Equal(t, c.requests, asked.of(c.kind))

			before := asked.of(c.kind)
			err := c.call(newFs(t, server.Config()))
			if c.unstated {
				require.Error(t, err)
			} else if name != "SymlinkOrder" { // the symbolic link exists
				require.NoError(t, err)
				require.Greater(t, asked.of(c.kind)-before, c.requests)
			}
		})
	}
}

// A server of which it is stated that it has one channel per connection loses no connection, and still has two.
func TestStatedOneChannel(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.OneChannel())
	_, cfg := far(t, server.Config(), link.Options{RoundTrip: 15 * time.Millisecond})
	cfg.Quirks.OneChannel = true
	fsys := newFs(t, cfg)
	var all errgroup.Group
	for i := range 200 {
		all.Go(func() error { return afero.WriteFile(fsys, fmt.Sprint(i), nil, 0o666) }) // is not sent twice
	}
	require.NoError(t, all.Wait())
	require.Eventually(t, func() bool {
		channels, connections := fsys.Channels()
		return channels == 2 && connections == 2
	}, soon, time.Millisecond)
}

// A large file is read over several channels from a server of which it is stated that they read the same file.
func TestStatedFstatOfHandle(t *testing.T) {
	t.Parallel()
	content := random(20 << 20)
	for of, channels := range map[bool]int{false: 1, true: 2} {
		server := newServer(t, nil)
		put(t, server, "/f", string(content))
		_, cfg := far(t, server.Config(), link.Options{RoundTrip: 15 * time.Millisecond})
		cfg.Quirks.FstatOfHandle = of
		fsys := newFs(t, cfg)
		f, err := fsys.Open("f")
		require.NoError(t, err)
		var got bytes.Buffer
		_, err = io.Copy(&got, f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.True(t, bytes.Equal(content, got.Bytes()))
		have, _ := fsys.Channels()
		require.Equal(t, channels, have)
	}
}

// What can be stated is what Capabilities show.
func TestStatedQuirksShow(t *testing.T) {
	t.Parallel()
	cfg := newServer(t, nil).Config()
	cfg.Quirks = sftpfs.Quirks{MaxRequests: 9, Refused: []string{"readlink", "setstat mode"}}
	c, err := newFs(t, cfg).Capabilities(t.Context())
	require.NoError(t, err)
	require.Equal(t, 9, c.Requests)
	require.Equal(t, cfg.Quirks.Refused, c.Refused)
}

func TestInvalidQuirks(t *testing.T) {
	t.Parallel()
	for field, q := range map[string]sftpfs.Quirks{
		"MaxRequests":   {MaxRequests: -1},
		"MaxFiles":      {MaxFiles: -1},
		"SymlinkOrder":  {SymlinkOrder: 3},
		"FstatOfHandle": {NoFstat: true, FstatOfHandle: true},
		"Refused":       {Refused: []string{"setstat times", "fstat"}},
	} {
		_, err := sftpfs.New(sftpfs.Config{Addr: "host", KeyFiles: []string{}, Quirks: q})
		require.ErrorContains(t, err, "Quirks."+field)
	}
}
