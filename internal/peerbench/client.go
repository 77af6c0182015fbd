package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// clientWord as the first argument makes this program a client, which does one task and ends.
const clientWord = "client"

// clientJob holds the flags of a client.
type clientJob struct {
	fsName                       string
	task                         string
	addr, user, key, knownHosts  string
	remoteDir, localDir, scratch string
	item                         string
	isFile                       bool
	names                        string
	blocks                       int
	warm                         bool
}

// report is the last line of a client's output, after the word "report".
type report struct {
	Seconds float64 // from the start of the process (with a warm connection, from then on) to the end
	Memory  int64   // peak memory of the process in bytes; 0: unknown
	Digest  string  // of the content that was read
	Changes int     // sent by a push
	Bytes   int64   // of file content, sent by a push
}

const reportWord = "report "

// findReport returns the report in the output of a client; false if there is none.
func findReport(output string) (report, bool) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	text, ok := strings.CutPrefix(lines[len(lines)-1], reportWord)
	var r report
	return r, ok && json.Unmarshal([]byte(text), &r) == nil
}

func runClient(ctx context.Context, args []string, stdout io.Writer) (err error) {
	began := time.Now()
	var c clientJob
	flags := flag.NewFlagSet(clientWord, flag.ContinueOnError)
	flags.StringVar(&c.fsName, "fs", "", "")
	flags.StringVar(&c.task, "task", "", "")
	flags.StringVar(&c.addr, "addr", "", "")
	flags.StringVar(&c.user, "user", "", "")
	flags.StringVar(&c.key, "key", "", "")
	flags.StringVar(&c.knownHosts, "known-hosts", "", "")
	flags.StringVar(&c.remoteDir, "remote", "", "")
	flags.StringVar(&c.localDir, "local", "", "")
	flags.StringVar(&c.scratch, "scratch", "", "")
	flags.StringVar(&c.item, "item", "", "")
	flags.BoolVar(&c.isFile, "file", false, "")
	flags.StringVar(&c.names, "names", "", "")
	flags.IntVar(&c.blocks, "blocks", 0, "")
	flags.BoolVar(&c.warm, "warm", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}

	out := bufio.NewWriter(stdout)
	var r report
	switch c.fsName {
	case "syncfs":
		remote, err := sftpfs.New(sftpfs.Config{Addr: c.addr, User: c.user, KeyFiles: []string{c.key},
			KnownHosts: []string{c.knownHosts}, Root: c.remoteDir})
		if err != nil {
			return err
		}
		defer remote.Close()
		if c.warm {
			if err := connect(ctx, remote); err != nil {
				return err
			}
			began = time.Now()
		}
		r, err = c.withSyncfs(ctx, remote, out)
		if err != nil {
			return err
		}
	case "afero":
		r, err = c.withAfero(out)
	case "os":
		r, err = c.generic(afero.NewBasePathFs(afero.NewOsFs(), c.localDir), out)
	default:
		err = fmt.Errorf("no file system %q", c.fsName)
	}
	if err != nil {
		return err
	}
	r.Seconds, r.Memory = time.Since(began).Seconds(), peakMemory()
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s%s\n", reportWord, text)
	return out.Flush()
}

func connect(ctx context.Context, remote *sftpfs.Fs) error {
	if err := remote.Connect(ctx); err != nil {
		return err
	}
	_, err := remote.Stat("/")
	return err
}

// peakMemory returns the peak memory of this process in bytes, as Linux reports it; 0 on other systems.
func peakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return parsePeakMemory(string(text))
}

func parsePeakMemory(status string) int64 {
	for line := range strings.Lines(status) {
		var kibibytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kibibytes); n == 1 {
			return kibibytes * kib
		}
	}
	return 0
}
