package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/link"
)

// A tool is one way to do the tasks: us, or a peer.
type tool struct {
	name     string   // as the flag has it
	title    string   // in table and chart
	programs []string // that it needs; the first one names what may be missing
	version  []string // a command whose first line tells the version; nil: it is part of this program
	fuse     bool     // it needs FUSE

	// plan returns what to run for a job; false: the tool can't do such a task.
	plan func(job) (plan, bool)
	// parse reads one line of what it writes for the task list; false: the line tells of no file.
	parse func(line string) (file, bool)
	// prepare returns a command that brings the data here before the job, as far as the tool has to have done that
	// itself. nil: copying is as good.
	prepare func(job) []string
	// ours says that it is this project.
	ours bool
	// warm says that the time is the one of its report, which leaves connecting out.
	warm bool
}

func (t tool) String() string { return t.name }

// A job is one task with the places it is about.
type job struct {
	task      task
	item      item
	remoteDir string // on the server: where the item is, or comes to be
	localDir  string // the same here
	mount     string // an empty directory for file systems to be mounted on
	scratch   string // an empty directory for whatever else a tool keeps
	names     string // a file with the names of the item's files, one a line
	blocks    int    // to be read at random
	host      host
}

// remote and local are where the item is, or comes to be.
func (j job) remote() string { return j.remoteDir + "/" + j.item.name }
func (j job) local() string  { return j.localDir + "/" + j.item.name }

// A host is how the server is reached.
type host struct {
	addr, port string
	user       string
	keyFile    string
	knownHosts string
	sshConfig  string // a configuration of OpenSSH's client that holds all of this
	program    string // this program
	wire       wire
	link       *link.Link // which makes the wire; nil on loopback
}

// alias is the host's name in sshConfig.
const alias = "peerbench"

// A plan is what a tool runs for a job.
type plan struct {
	pipe  [][]string // the output of each command is the input of the next one
	input string     // of the first
	mount []string   // a command that serves job.mount while the pipe runs
}

func one(command ...string) plan { return plan{pipe: [][]string{command}} }

// missing returns why the tool can't be used here, nil if it can.
func (t tool) missing() error {
	for _, program := range t.programs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed", program)
		}
	}
	if t.fuse {
		device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
		if err != nil {
			return errors.New("there is no FUSE")
		}
		device.Close()
	}
	return nil
}

// tools returns all of them, us first, in the order of the table.
func tools() []tool {
	return []tool{
		{
			name: "syncfs", title: usTitle, ours: true,
			plan: client("syncfs"), parse: parsePlain, prepare: prepareWith("syncfs"),
		},
		{
			name: "syncfs-warm", title: usWarmTitle, ours: true, warm: true,
			plan: client("syncfs", "-warm"), parse: parsePlain, prepare: prepareWith("syncfs"),
		},
		{
			name: "sftp", title: "OpenSSH sftp", programs: []string{"sftp", "ssh"}, version: []string{"ssh", "-V"},
			plan: sftpPlan,
		},
		{name: "scp", title: "OpenSSH scp", programs: []string{"scp", "ssh"}, plan: scpPlan},
		{
			name: "rsync", title: "rsync", programs: []string{"rsync", "ssh"}, version: []string{"rsync", "--version"},
			plan: rsyncPlan, parse: parseRsync,
		},
		{
			name: "ssh", title: "tar, find or head over ssh", programs: []string{"tar", "ssh"},
			version: []string{"tar", "--version"},
			plan:    sshPlan, parse: parsePlain,
		},
		{
			name: "lftp", title: "lftp", programs: []string{"lftp", "ssh"}, version: []string{"lftp", "--version"},
			plan: lftpPlan, parse: parseLftp,
		},
		{
			name: "rclone", title: "rclone", programs: []string{"rclone"}, version: []string{"rclone", "--version"},
			plan: rclonePlan, parse: parsePlain,
		},
		{
			name: "sshfs", title: "sshfs", programs: []string{"sshfs", "ssh", "fusermount3"}, fuse: true,
			version: []string{"sshfs", "--version"},
			plan:    sshfsPlan, parse: parsePlain,
		},
		{
			name: "afero", title: "afero CacheOnReadFs + sftpfs",
			plan: client("afero"), parse: parsePlain, prepare: prepareWith("afero"),
		},
		{name: "os", title: "the local directory itself", plan: osPlan},
	}
}

// The titles of this project.
const (
	usTitle     = "go-syncfs"
	usWarmTitle = usTitle + ", connected before"
)

// parsePlain reads lines such as "1024 a/b.txt", with blanks before and, as rclone has them, date and time between.
func parsePlain(line string) (file, bool) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return file{}, false
	}
	return sized(fields[0], fields[len(fields)-1])
}

func sized(size, name string) (file, bool) {
	n, err := strconv.ParseInt(size, 10, 64)
	return file{name, n}, err == nil
}
