package sftpfs_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

var update = flag.Bool("update", false, "write SERVERS.md")

const serversIntro = `# Servers

Package sftpfs is tested with each of these servers: with the conformance suite of %d cases, with testing/fstest, and,
where the table says so, with random histories that are compared with a plain directory. A case that does not pass is one
that SFTP can't express (whole seconds, one answer for every missing name: %d cases), or that the server can't do. The
tests name each of them with its reason, and fail if it passes. None fails otherwise. With the servers installed
(.ci/full says how), this runs them all:

	SYNCFS_FULL=1 go test -run TestServers ./sftpfs

"Replaces" means that Rename replaces a file in one step, "syncs" that File.Sync works. The test TestServersPage writes
this page from what the tests declare, with the flag -update.

| server | passed | replaces | syncs | histories | advice |
|---|---|---|---|---|---|
`

const serversEnd = `
On every server:

- A read-only account gets fs.ErrPermission for each change. So does one that may not read, list, remove or rename, for
  just that.
- On a full disk, a write fails with syscall.ENOSPC if the server says how full the disk is (statvfs@openssh.com),
  otherwise with syscall.EIO.

QUIRKS.md has what is found out about a server, and how.
`

func serversPage() string {
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	all := len(aferotest.Cases())
	var page strings.Builder
	fmt.Fprintf(&page, serversIntro, all, all-anyServer.passing())
	for _, s := range servers {
		if s.advice != "" {
			fmt.Fprintf(&page, "| %s | %d | %s | %s | %s | %s |\n", s.title, s.limits.passing(),
				yes(s.limits.incapable[aferotest.AtomicReplace] == ""), yes(s.limits.incapable[aferotest.Sync] == ""),
				yes(s.noHistories == ""), s.advice)
		}
	}
	return page.String() + serversEnd
}

// SERVERS.md is what the tests declare, to which TestServers holds each server.
func TestServersPage(t *testing.T) {
	t.Parallel()
	const file = "SERVERS.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(serversPage()), 0o644))
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, serversPage(), string(page), "go test -run TestServersPage ./sftpfs -update")
}

// QUIRKS.md says of each server of package sftptest that behaves differently what is found out about it.
func TestQuirksPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("QUIRKS.md")
	require.NoError(t, err)
	files, err := filepath.Glob("sftptest/*.go")
	require.NoError(t, err)
	characters := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) Character \{`).FindAllSubmatch(source, -1) {
			if generic := []string{"OnRequest", "Announce"}; !slices.Contains(generic, string(name[1])) {
				require.Contains(t, string(page), "`"+string(name[1])+"`")
				characters++
			}
		}
	}
	require.Greater(t, characters, 20)
}
