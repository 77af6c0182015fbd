package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// asProgram makes the test binary the program itself, so that its exit status is seen too.
const asProgram = "QUICKSTART_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), nil, &stdout, &stderr)
	require.Empty(t, stderr.String())
	require.Zero(t, status)
	isWholeStory(t, stdout.String())
}

func TestOpenSSH(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	precious := filepath.Join(server.Root, "precious.txt")
	require.NoError(t, os.WriteFile(precious, []byte("not the story's"), 0o600))
	local := t.TempDir()

	program := exec.CommandContext(t.Context(), os.Args[0],
		"-url", "sftp://"+server.User+"@"+server.Addr+server.Root,
		"-key", server.KeyFile, "-known-hosts", server.KnownHosts, "-local", local)
	program.Env = append(os.Environ(), asProgram+"=1")
	out, err := program.CombinedOutput()
	require.NoError(t, err, "%s", out)
	isWholeStory(t, string(out))

	left, err := os.ReadDir(server.Root)
	require.NoError(t, err)
	require.Len(t, left, 1, "the story removes what it made, and nothing else")
	require.FileExists(t, precious)
	kept, err := filepath.Glob(filepath.Join(local, "quickstart-*", "data", "a.csv"))
	require.NoError(t, err)
	require.Len(t, kept, 1, "what was pulled is kept in the directory that was named")
}

func isWholeStory(t *testing.T, out string) {
	t.Helper()
	for _, step := range steps {
		require.Contains(t, out, step.title)
	}
	require.Contains(t, out, "Everything went as expected.\n")
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args    []string
		status  int
		message string
	}{
		"unknown flag":         {[]string{"-nonsense"}, 2, "-nonsense"},
		"argument":             {[]string{"nonsense"}, 2, "nonsense"},
		"help":                 {[]string{"-help"}, 0, "-url"},
		"not an sftp URL":      {[]string{"-url", "http://localhost/"}, 1, "sftp://"},
		"missing key":          {[]string{"-url", "sftp://localhost/", "-key", "/missing-key"}, 1, "/missing-key"},
		"missing local parent": {[]string{"-local", filepath.Join(t.TempDir(), "missing")}, 1, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), c.args, &stdout, &stderr)
			require.Equal(t, c.status, status, stderr.String())
			require.Contains(t, stderr.String(), c.message)
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 1, run(ctx, nil, &stdout, &stderr))
	require.Contains(t, stderr.String(), context.Canceled.Error())
}
