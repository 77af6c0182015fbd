package sftptest_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A failingT notes that the test has failed, and ends its goroutine.
type failingT struct {
	testing.TB
	failed chan bool
}

func (failingT) Helper() {}

func (t failingT) Fatal(...any) {
	t.failed <- true
	runtime.Goexit()
}

func TestStartFailsTheTest(t *testing.T) {
	t.Parallel()
	taken := sftptest.Start(t).Addr()
	failing := failingT{t, make(chan bool, 1)}
	go func() {
		sftptest.Start(failing, func(o *sftptest.Options) { o.Addr = taken })
		failing.failed <- false
	}()
	require.True(t, await(t, failing.failed))
}

func TestStartClosesTheServer(t *testing.T) {
	t.Parallel()
	var server *sftptest.Server
	t.Run("test", func(t *testing.T) {
		server = sftptest.Start(t, func(o *sftptest.Options) { o.User = "me" })
		require.Equal(t, "me", server.Config().User)
	})
	require.Error(t, server.Start())
}
