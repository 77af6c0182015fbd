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

// tool is one way to do the tasks: ours, or a peer's.
type tool struct {
	name     string   // as in the flag -tools
	title    string   // in table and chart
	programs []string // that it needs
	version  []string // a command whose output tells the version; nil: it is part of this program
	fuse     bool     // it needs FUSE

	// plan returns what to run for a job; false if the tool can't do the task.
	plan func(job) (plan, bool)
	// parse parses one line of the output of the task list; false if the line describes no file.
	parse func(line string) (file, bool)
	// prepare returns a command that copies the data to the local side before the job, if the tool itself must do that.
	// nil: any copy will do.
	prepare func(job) []string
	// ours marks a tool of this project.
	ours bool
	// warm marks a tool whose time is that of its report, which excludes connecting.
	warm bool
}

func (t tool) String() string { return t.name }

// job is one task with its places.
type job struct {
	task      task
	item      item
	remoteDir string // on the server: where the item is, or will be
	localDir  string // the same on this side
	mount     string // an empty directory to mount file systems on
	scratch   string // an empty directory for other files of a tool
	names     string // a file with the names of the item's files, one per line
	blocks    int    // number of random reads
	host      host
}

// remote and local return where the item is, or will be.
func (j job) remote() string { return j.remoteDir + "/" + j.item.name }
func (j job) local() string  { return j.localDir + "/" + j.item.name }

// host is the way to reach the server.
type host struct {
	addr, port string
	user       string
	keyFile    string
	knownHosts string
	sshConfig  string // a configuration of the OpenSSH client with all of this
	program    string // this program
	wire       wire
	link       *link.Link // simulates the wire; nil on loopback
}

// alias is the host's name in sshConfig.
const alias = "peerbench"

// plan is what a tool runs for a job.
type plan struct {
	pipe  [][]string // the output of each command is the input of the next one
	input string     // of the first command
	mount []string   // a command that serves job.mount while the pipe runs
}

func one(command ...string) plan { return plan{pipe: [][]string{command}} }

// missing returns an error if the tool can't be used on this machine.
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

// tools returns all tools, ours first, in the order of the table.
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

// The titles of the tools of this project.
const (
	usTitle     = "go-syncfs"
	usWarmTitle = usTitle + ", connected before"
)

// parsePlain parses lines such as "1024 a/b.txt", with leading blanks and, as rclone writes them, date and time in
// between.
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
