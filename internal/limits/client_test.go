//go:build unix

package limits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// clientEnv is the environment variable that makes the test binary a client: a setting as JSON.
const clientEnv = "LIMITS_CLIENT"

// setting is what the process is told.
type setting struct {
	Limit string
	Size  int64
	Local string // its local directory

	Addr, Via, User, Password, KeyFile, KnownHosts, Root string // of the server; Via is the address to dial
}

// step is what the process tells of one step, as JSON.
type step struct {
	Name  string
	Items int64
	Took  time.Duration
	Heap  uint64 // bytes in use, after a collection
	Peak  int64  // bytes of the process, so far
}

// client is a process with a limit. The options of the library are the default ones.
type client struct {
	setting
	remote *sftpfs.Fs
	fs     *syncfs.Fs
	out    *json.Encoder
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
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (c *client) run() error {
	i := slices.IndexFunc(limits, func(l limit) bool { return l.name == c.Limit })
	if err := c.open(); err != nil {
		return err
	}
	return errors.Join(limits[i].use(c), c.close())
}

func (c *client) open() (err error) {
	dialer := new(net.Dialer)
	cfg := sftpfs.Config{Addr: c.Addr, User: c.User, Password: c.Password, Root: c.Root, KnownHosts: []string{c.KnownHosts},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, c.Via)
		}}
	if c.KeyFile != "" {
		cfg.KeyFiles = []string{c.KeyFile}
	}
	if c.remote, err = sftpfs.New(cfg); err == nil {
		c.fs, err = syncfs.New(c.remote, afero.NewBasePathFs(afero.NewOsFs(), c.Local), nil)
	}
	return err
}

func (c *client) close() error { return errors.Join(c.fs.Close(), c.remote.Close()) }

// reopen makes a new Fs on the same local directory.
func (c *client) reopen(items int64) error {
	if err := c.step("Close", items, c.close); err != nil {
		return err
	}
	return c.step("New", items, c.open)
}

// step measures one step.
func (c *client) step(name string, items int64, do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s, %s: %w", c.Limit, name, err)
	}
	s := step{Name: name, Items: items, Took: time.Since(began)}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap, s.Peak = m.HeapAlloc, peak()
	return c.out.Encode(s)
}

// push pushes everything, and requires that all changes were made.
func (c *client) push(items int64) error {
	return c.step("Push", items, func() error {
		_, err := c.fs.Push(context.Background())
		return err
	})
}

func (c *client) pull(dir string, items int64) error {
	return c.step("Pull", items, func() error {
		_, err := c.fs.Pull(context.Background(), dir)
		return err
	})
}

// peak returns the most memory that the process has taken, in bytes; 0 where the system does not tell. Getrusage would count
// what the process before exec has taken.
func peak() (bytes int64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if n, err := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); n == 1 && err == nil {
			return bytes << 10
		}
	}
	return 0
}
