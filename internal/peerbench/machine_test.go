package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDescribeMachine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2 CPUs (Fast One), 24 GiB of memory, Debian 12", describeMachine(2,
		"processor\t: 0\nmodel name\t: Fast One\n", "MemTotal:       24683612 kB\n", "NAME=x\nPRETTY_NAME=\"Debian 12\"\n"))
	require.Equal(t, "4 CPUs", describeMachine(4, "", "", ""))
}

func TestFindVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ output, program, want string }{
		{"rsync  version 3.2.7  protocol version 31\nmore\n", "rsync", "rsync 3.2.7"},
		{"OpenSSH_9.2p1 Debian-2, OpenSSL 3.0\n", "ssh", "OpenSSH_9.2p1"},
		{"LFTP | Version 4.9.2 | Copyright\n", "lftp", "LFTP 4.9.2"},
		{"tar (GNU tar) 1.34\n", "tar", "tar (GNU tar) 1.34"},
		{"rclone v1.60.1-DEV\n", "rclone", "rclone v1.60.1-DEV"},
		{"fusermount3 version: 3.14.0\nSSHFS version 3.7.3\n", "sshfs", "SSHFS 3.7.3"},
		{"sshfs: unknown option\n", "sshfs", "sshfs of unknown version"},
		{"", "tar", "tar of unknown version"},
	} {
		require.Equal(t, c.want, findVersion(c.output, c.program))
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	b := filled()
	b.runs, b.place, b.tools = 5, "/dev/shm", nil
	text := b.about(t.Context(), time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC))
	require.Contains(t, text, "Measured on 2025-01-02: ")
	require.Contains(t, text, "the median of 5 runs")
	require.Contains(t, text, "files\nin /dev/shm.")
	require.Contains(t, text, "more than 60 s")
	require.Contains(t, text, "The most memory go-syncfs took was 123 MB (walk of 10,000 files, 20 ms).")
	require.NotContains(t, text, "quick")
	b.quick = true
	require.Contains(t, b.about(t.Context(), time.Now()), "its figures mean nothing")
}

func TestReplaceMarked(t *testing.T) {
	t.Parallel()
	text, err := replaceMarked("a\n"+beginMark+"old\n"+endMark+"b\n", "new\n")
	require.NoError(t, err)
	require.Equal(t, "a\n"+beginMark+"new\n"+endMark+"b\n", text)
	for _, bad := range []string{"", "a\n" + beginMark, endMark + beginMark} {
		_, err := replaceMarked(bad, "new\n")
		require.Error(t, err)
	}
}

func TestClientReport(t *testing.T) {
	t.Parallel()
	r, ok := findReport("1 a\n2 b\n" + reportWord + `{"Seconds":1.5,"Digest":"x"}` + "\n")
	require.True(t, ok)
	require.Equal(t, report{Seconds: 1.5, Digest: "x"}, r)
	for _, none := range []string{"", "1 a\n", reportWord + "x", reportWord + "{}\nmore"} {
		_, ok := findReport(none)
		require.False(t, ok, "%q", none)
	}
	require.EqualValues(t, 25*mib, parsePeakMemory("VmPeak:\t 9 kB\nVmHWM:\t   25600 kB\n"))
	require.Zero(t, parsePeakMemory("VmPeak:\t 9 kB\n"))
}
