//go:build unix

package syncfs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// killEnv is the environment variable by which the test binary is a child of a kill test: a killChild as JSON.
const killEnv = "SYNCFS_KILL_CHILD"

// killChild is what a child process does.
type killChild struct {
	Server *killServer // the remote; nil: RemoteDir
	Remote string      // directory that is the remote
	Local  string      // the local directory
	Hand   string      // directory on the same file system for files that are put by hand

	Seed  uint64   // of a random workload that never ends
	Extra []string // names that there are besides the usual ones
	Tag   string

	Script []killOp // instead: these calls, one after the other
	At     int      // the change of a directory before which the process kills itself; negative: none
	Sides  string   // whose changes count: "remote", or "both"
	Refuse bool     // the remote does not replace by rename
	Direct bool     // PublishDirect
}

// killServer is how a child reaches an SFTP server.
type killServer struct{ Addr, User, Root, KeyFile, KnownHosts string }

// killLine is a line that a child prints right before a call (Begin is set) or right after.
type killLine struct {
	ID    int
	Begin *killOp `json:",omitempty"`
	Read  string  `json:",omitempty"`
	Err   string  `json:",omitempty"`
	Wrong string  `json:",omitempty"` // an error that should not be
	Total int     `json:",omitempty"` // of a script that came to its end: changes of directories
}

// The test binary is started again as a child, which ends here.
func init() {
	setting := os.Getenv(killEnv)
	if setting == "" {
		return
	}
	var c killChild
	err := json.Unmarshal([]byte(setting), &c)
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run opens the Fs and makes calls until the process is killed, or the script is at its end.
func (c killChild) run() error {
	plan := c.suicide()
	remote, err := c.remote(plan)
	if err != nil {
		return err
	}
	local := afero.NewBasePathFs(afero.NewOsFs(), c.Local)
	if c.Sides == "both" {
		local = faultfs.New(local, plan.Plan)
	}
	opts := c.options()
	if c.Script != nil {
		opts.Cache.Parallel = 1
	}
	s, err := New(remote, local, opts)
	if err != nil {
		return err
	}
	if s.Damage() != nil {
		return s.Damage()
	}
	s.block = 1000 // so that uploads go on
	p := &killProgram{child: c, fs: s}
	p.caller = killCaller{fs: s, user: p}
	if c.Script == nil {
		p.workload()
	}
	for _, op := range c.Script {
		p.make(op)
	}
	p.print(killLine{ID: -1, Total: plan.changes})
	return nil
}

func (c killChild) options() *Options {
	if c.Direct {
		return &Options{Publish: PublishDirect}
	}
	return &Options{}
}

func (c killChild) remote(plan *killPlan) (afero.Fs, error) {
	if c.Server == nil {
		return killRemote(c.Remote, c.Refuse, plan.Plan), nil
	}
	return c.Server.dial()
}

func (s *killServer) dial() (*sftpfs.Fs, error) {
	return sftpfs.New(sftpfs.Config{Addr: s.Addr, User: s.User, Root: s.Root, KeyFiles: []string{s.KeyFile},
		KnownHosts: []string{s.KnownHosts}})
}

// killRemote is a directory as a remote, whose calls a plan sees. With refuse it does not replace by rename.
func killRemote(dir string, refuse bool, plan *faultfs.Plan) afero.Fs {
	remote := aferotest.OS(dir)
	if refuse {
		remote = refusing{remote}
	}
	return modeLater{faultfs.New(remote, plan)}
}

// modeLater is an Fs that makes a directory in two steps, as an SFTP client does.
type modeLater struct{ afero.Fs }

func (m modeLater) Mkdir(name string, perm fs.FileMode) error {
	if err := m.Fs.Mkdir(name, 0o777); err != nil {
		return err
	}
	return m.Chmod(name, perm)
}

// refusing is an Fs whose Rename does not replace.
type refusing struct{ afero.Fs }

func (r refusing) Rename(oldname, newname string) error {
	if _, err := r.Stat(newname); err == nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: fs.ErrExist}
	}
	return r.Fs.Rename(oldname, newname)
}

// killPlan counts the calls that change a directory.
type killPlan struct {
	*faultfs.Plan
	changes int
}

var killChanges = []faultfs.Kind{faultfs.Mkdir, faultfs.MkdirAll, faultfs.Remove, faultfs.RemoveAll, faultfs.Rename,
	faultfs.Chmod, faultfs.Chtimes, faultfs.Write, faultfs.WriteAt, faultfs.Truncate}

// suicide kills the process right before the change c.At. What the disk has then is what it had right after the
// change before.
func (c killChild) suicide() *killPlan {
	p := &killPlan{Plan: new(faultfs.Plan)}
	var mu sync.Mutex
	p.Before(func(op faultfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Flag&(os.O_CREATE|os.O_TRUNC) == 0 && !slices.Contains(killChanges, op.Kind) {
			return nil
		}
		if p.changes == c.At {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		p.changes++
		return nil
	})
	return p
}

// killProgram is the program that runs in a child.
type killProgram struct {
	child  killChild
	fs     *Fs
	caller killCaller

	mu      sync.Mutex // guards what follows, and the order of lines
	ids     int
	running map[string]bool // calls in the background
}

func (p *killProgram) print(l killLine) {
	b, err := json.Marshal(l)
	if err == nil {
		_, err = os.Stdout.Write(append(b, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// make announces a call, makes it, and reports it.
func (p *killProgram) make(op killOp) {
	p.mu.Lock()
	p.ids++
	id := p.ids
	p.print(killLine{ID: id, Begin: &op})
	p.mu.Unlock()
	read, err := p.caller.call(op)
	l := killLine{ID: id, Read: read}
	if err != nil {
		l.Err = err.Error()
		if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrConflict) || errors.Is(err, errKillPush) {
			l.Wrong = l.Err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(l)
}

// workload makes random calls for ever, pushes and fetches in the background.
func (p *killProgram) workload() {
	p.running = map[string]bool{}
	names := &killNames{Rand: rand.New(rand.NewPCG(p.child.Seed, 0)), extra: p.child.Extra, tag: p.child.Tag}
	isDir := func(dir string) bool {
		fi, err := os.Stat(filepath.Join(p.child.Local, dir))
		return err == nil && fi.IsDir()
	}
	if len(p.child.Extra) > 0 {
		p.start(killOp{Kind: "fetch", Name: p.child.Extra[len(p.child.Extra)-1]})
	}
	for {
		for _, op := range names.draw(isDir) {
			if op.Kind == "push" || op.Kind == "fetch" {
				p.start(op)
			} else {
				p.make(op)
			}
		}
	}
}

// start makes a call in the background, unless one of its kind is under way.
func (p *killProgram) start(op killOp) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[op.Kind] {
		return
	}
	p.running[op.Kind] = true
	go func() {
		p.make(op)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running[op.Kind] = false
	}()
}

func (p *killProgram) byHand(name string, content []byte) error {
	temp := filepath.Join(p.child.Hand, "new")
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, filepath.Join(p.child.Local, name))
}

func (p *killProgram) add(name string) error { return p.fs.Add(name) }

func (p *killProgram) background(op killOp) error {
	if op.Kind == "fetch" {
		return p.fs.Fetch(context.Background(), op.Name)
	}
	_, err := onlyBusy(p.fs.Push(context.Background()))
	return err
}

// errKillPush is an error of a Push that nothing but its process disturbs.
var errKillPush = errors.New("push failed")

// onlyBusy returns the names of files that a Push said are busy. Another failure is errKillPush.
func onlyBusy(r Report, err error) (busy []string, _ error) {
	for _, result := range r.Results {
		switch {
		case result.Err == nil:
		case errors.Is(result.Err, ErrBusy):
			busy = append(busy, result.Name)
		default:
			return nil, fmt.Errorf("%w: %w", errKillPush, result.Err)
		}
	}
	if err != nil && !errors.Is(err, ErrBusy) {
		return nil, fmt.Errorf("%w: %w", errKillPush, err)
	}
	return busy, nil
}
