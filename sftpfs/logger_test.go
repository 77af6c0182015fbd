package sftpfs_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A record is a log in memory.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
}

// The log says what becomes of connections, and no secret.
func TestLogger(t *testing.T) {
	t.Parallel()
	log := new(record)
	key := newUserKey(t, filepath.Join(t.TempDir(), "id"), "phr4se")
	server := newServer(t, &sftptest.Options{Password: "s3cret", AuthorizedKeys: []ssh.PublicKey{key.public}})
	cfg := accepting(server, filepath.Join(t.TempDir(), "known_hosts"))
	cfg.Logger = log.logger()
	cfg.KeyFiles = []string{key.file}
	cfg.Passphrase = func(string) ([]byte, error) { return []byte("phr4se"), nil }
	fsys := newFs(t, cfg)
	require.NoError(t, fsys.Connect(t.Context()))
	require.Contains(t, log.String(), "new host accepted")
	require.Contains(t, log.String(), "connected")
	server.Disconnect()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("connection ended")) },
		soon, time.Millisecond)
	cfg.KeyFiles, cfg.Password = []string{}, "wr0ng"
	require.ErrorIs(t, connect(t, cfg), sftpfs.ErrAuth)
	require.Contains(t, log.String(), "not connected")
	for _, secret := range []string{"s3cret", "wr0ng", "phr4se"} {
		require.NotContains(t, log.String(), secret)
	}
}
