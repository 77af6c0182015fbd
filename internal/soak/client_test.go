//go:build unix

package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// clientEnv is the environment variable that makes the test binary a client: a setting as JSON.
const clientEnv = "SOAK_CLIENT"

// phase is what a client is started for.
type phase string

const (
	working   phase = "work"    // change, read and push until it is told to stop, or killed
	settling  phase = "settle"  // push everything, and compare the view with the oracle
	comparing phase = "compare" // read everything that the server has
)

// setting is what a client is told.
type setting struct {
	Name    string
	Others  []string // names of the other clients
	Kind    int      // of its options
	Seed    uint64
	Clock   time.Duration // by which its clock is wrong at first
	Drift   float64       // seconds by which it gains a second
	Phase   phase
	Local   string // its local directory
	Oracle  string // its directory in the oracle; what it is doing is in Oracle + ".doing"
	Listing string // file for the result of comparing

	Addr, Via, User, KeyFile, KnownHosts, Root string // of the server; Via is the address to dial
}

// line is what a client says on its standard output, as JSON.
type line struct {
	Did   string `json:",omitempty"` // the kind of a call that was made
	Wrong string `json:",omitempty"` // what must not be
}

// client is one process.
type client struct {
	setting
	ctx    context.Context // ends when the client is told to stop
	rand   *rand.Rand
	fs     *syncfs.Fs
	oracle afero.Fs
	disk   *faultfs.Plan // of the local directory; nil: it is never full
	number int           // of records

	mu  sync.Mutex // guards out
	out *json.Encoder
}

// The test binary is started again as a client, which ends here.
func init() {
	text := os.Getenv(clientEnv)
	if text == "" {
		return
	}
	c := &client{out: json.NewEncoder(os.Stdout)}
	err := json.Unmarshal([]byte(text), &c.setting)
	if err == nil {
		err = c.run()
	}
	if err != nil {
		c.wrong("%v", err)
	}
	os.Exit(0)
}

func (c *client) say(l line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.out.Encode(l)
}

func (c *client) did(kind string) { c.say(line{Did: kind}) }

func (c *client) wrong(format string, args ...any) {
	c.say(line{Wrong: c.Name + ": " + fmt.Sprintf(format, args...)})
}

func (s setting) options() *syncfs.Options {
	o := &syncfs.Options{Conflict: syncfs.KeepBoth, RetryFor: 2 * time.Second}
	began := time.Now()
	o.Cache.Now = func() time.Time {
		gained := time.Duration(s.Drift * float64(time.Since(began)))
		return time.Now().Add(s.Clock + gained)
	}
	switch s.Kind {
	case 1:
		o.Cache.Revalidate, o.Cache.ListTTL, o.Cache.MaxBytes, o.Verify = time.Second, -1, 4<<20, true
	case 2:
		o.Cache.Revalidate, o.Cache.StaleIfUnavailable, o.Conflict, o.Ordered = cachefs.Always, true, syncfs.Overwrite, true
	case 3:
		o.Publish = syncfs.PublishDirect
	}
	if s.Phase == comparing {
		o.Cache.Revalidate, o.Cache.ListTTL, o.Cache.MaxBytes = cachefs.Always, -1, 0
	}
	return o
}

func (s setting) dial() (*sftpfs.Fs, error) {
	dialer := new(net.Dialer)
	return sftpfs.New(sftpfs.Config{Addr: s.Addr, User: s.User, Root: s.Root, KeyFiles: []string{s.KeyFile},
		KnownHosts: []string{s.KnownHosts}, IdleTimeout: 2 * time.Second, DialTimeout: 5 * time.Second,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, s.Via)
		}})
}

// run is the client. It ends with a check that nothing is left open.
func (c *client) run() error {
	syscall.Umask(0o022)
	c.rand = rand.New(rand.NewPCG(c.Seed, 0))
	c.oracle = aferotest.OS(c.Oracle)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c.ctx = ctx
	if c.Phase == working {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	remote, err := c.dial()
	if err != nil {
		return err
	}
	local := afero.NewBasePathFs(afero.NewOsFs(), c.Local)
	if c.Kind == 2 {
		c.disk = new(faultfs.Plan)
		local = faultfs.New(local, c.disk)
	}
	c.fs, err = syncfs.New(remote, local, c.options())
	if err != nil {
		return err
	}
	if err := c.fs.Damage(); err != nil {
		c.wrong("%v", err)
	}
	switch c.Phase {
	case working:
		c.work()
	case settling:
		c.settle()
	case comparing:
		err = c.list()
	}
	err = errors.Join(err, c.fs.Close(), remote.Close())
	return errors.Join(err, goleak.Find(), leftOpen(c.Local))
}

// leftOpen reports files of a directory that this process has open.
func leftOpen(dir string) error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil // not on this system
	}
	for _, fd := range open {
		name, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if rel, relErr := filepath.Rel(dir, name); err == nil && relErr == nil && filepath.IsLocal(rel) {
			return fmt.Errorf("left open: %s", name)
		}
	}
	return nil
}

// passing reports whether an error is one that the network explains, the end of the client, or the lack of room.
func passing(err error) bool {
	return errors.Is(err, syncfs.ErrUnavailable) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fs.ErrClosed) || errors.Is(err, download.ErrNoRoom) ||
		errors.Is(err, syscall.ENOSPC)
}

// work makes calls until the client is told to stop.
func (c *client) work() {
	c.recover()
	var transfers sync.WaitGroup
	transfers.Go(c.transfer)
	for c.ctx.Err() == nil {
		c.step()
	}
	transfers.Wait()
}

// pause waits for up to d, or until the client is told to stop.
func (c *client) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.ctx.Done():
	}
}

// transfer pushes and downloads while other calls are made.
func (c *client) transfer() {
	random := rand.New(rand.NewPCG(c.Seed, 1))
	for c.ctx.Err() == nil {
		c.pause(time.Duration(random.IntN(300)) * time.Millisecond)
		if c.disk != nil && random.IntN(10) == 0 {
			c.fillDisk(time.Duration(random.IntN(300)) * time.Millisecond)
		}
		ctx, cancel := c.ctx, context.CancelFunc(func() {})
		if random.IntN(2) == 0 {
			ctx, cancel = context.WithTimeout(c.ctx, time.Duration(random.IntN(1500))*time.Millisecond)
		}
		if random.IntN(4) == 0 {
			c.pull(ctx, "/"+c.Others[random.IntN(len(c.Others))])
		} else {
			_ = c.push(ctx, c.fs.Push)
		}
		cancel()
	}
}

// fillDisk lets the local disk be full for a while.
func (c *client) fillDisk(d time.Duration) {
	c.disk.Before(func(op faultfs.Op) error {
		if op.Flag&os.O_CREATE != 0 || slices.Contains([]faultfs.Kind{faultfs.Write, faultfs.WriteAt, faultfs.Mkdir}, op.Kind) {
			return syscall.ENOSPC
		}
		return nil
	})
	c.pause(d)
	c.disk.Heal()
	c.did("fill the disk")
}

func (c *client) pull(ctx context.Context, dir string) {
	_, err := c.fs.Pull(ctx, dir)
	var errs interface{ Unwrap() []error }
	all := []error{err}
	if errors.As(err, &errs) {
		all = errs.Unwrap()
	}
	for _, err := range all { // the other client changes it all the time
		if err != nil && !passing(err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, cachefs.ErrChanged) &&
			!errors.Is(err, syscall.ENOTDIR) {
			c.wrong("Pull %s: %v", dir, err)
		}
	}
	c.did("pull")
}

// push pushes, and checks that there are conflicts only in the shared directory.
func (c *client) push(ctx context.Context, push func(context.Context) (syncfs.Report, error)) error {
	report, err := push(ctx)
	for _, r := range report.Results {
		switch {
		case r.Err == nil:
		case errors.Is(r.Err, syncfs.ErrConflict):
			waits := strings.Contains(r.Err.Error(), "not done before: push put "+shared) // Options.Ordered
			if !within(shared, r.Name) && !waits {
				c.wrong("%v: %v", r.Change, r.Err)
			}
			c.did("conflict")
		case passing(r.Err), errors.Is(r.Err, syncfs.ErrBusy):
		case c.Phase == working && errors.Is(r.Err, syscall.EIO): // so OpenSSH says that its disk is full
		case ctx.Err() == nil && !within(shared, r.Name):
			c.wrong("%v: %v", r.Change, r.Err)
		}
	}
	c.did("push")
	return err
}
