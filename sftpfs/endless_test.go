package sftpfs

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// endless is a server each of whose directories holds a directory and files. look is called for each request.
func endless(dir string, files int, look func(kind byte)) *hostile {
	return &hostile{answer: func(h *hostile, r wiretest.Request) []byte {
		look(r.Kind)
		if r.Kind != wiretest.ReadDir {
			return nil
		}
		if h.ended = !h.ended; !h.ended {
			return wiretest.StatusPacket(r.ID, wiretest.EOF)
		}
		body := []any{uint32(files + 1), dir, "", wiretest.AttrsOf(0, 0o40755, 1e9)}
		for i := range files {
			body = append(body, fmt.Sprint(i), "", wiretest.AttrsOf(0, 0o100644, 1e9))
		}
		return wiretest.Packet(wiretest.Name, r.ID, body...)
	}}
}

// A tree without an end is followed as far as there can be paths, by few goroutines. Not parallel: they are counted.
func TestRemoveAllOfAnEndlessTree(t *testing.T) {
	before, most := runtime.NumGoroutine(), 0
	fsys := endless(strings.Repeat("d", 100), 40, func(byte) {
		most = max(most, runtime.NumGoroutine()-before)
	}).start(t, 0)
	err := fsys.RemoveAll("d")
	require.ErrorIs(t, err, syscall.ENAMETOOLONG)
	require.ErrorContains(t, err, "/d/ddd")
	require.Less(t, most, 2*removals)
}

// A context ends it before.
func TestContextEndsRemoveAll(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lists := 0
	fsys := endless("d", 1, func(kind byte) {
		if kind == wiretest.ReadDir {
			if lists++; lists == 20 {
				cancel()
			}
		}
	}).start(t, 0)
	require.ErrorIs(t, fsys.WithContext(ctx).RemoveAll("d"), context.Canceled)
	require.Less(t, lists, 30)
}
