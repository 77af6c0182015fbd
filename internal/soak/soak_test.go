//go:build unix

package soak

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

var (
	seed     = flag.Uint64("seed", 0, "seed of the random changes and troubles; 0: a new one")
	duration = flag.Duration("for", 0, "how long TestSoak takes, not counting the ends of its two worlds; 0: 20 s, or 5 min with SYNCFS_FULL=1")
)

// direct is the client whose option is PublishDirect. It shows parts of its files.
const direct = "c3"

// fullDisk is the world without it.
const fullDisk = "full disk"

// world is the server, its clients, and what happens to them.
type world struct {
	testing.TB
	rand    *rand.Rand
	server  *opensshtest.Server
	disk    *disk // of the server; nil: it is never full
	oracle  string
	local   string
	clients []*process

	mu    sync.Mutex // guards the rest
	count map[string]int
}

// process is a client, one process after the other.
type process struct {
	setting
	link  *link.Link
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}
}

// There are two worlds. In one, a client delivers directly. In the other, the server's disk is full now and then: a delivery
// that was refused in the middle has holes, so nobody could know it for a part of its file.
func TestSoak(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	if *duration == 0 {
		*duration = 20 * time.Second
		if os.Getenv("SYNCFS_FULL") == "1" {
			*duration = 5 * time.Minute
		}
	}
	for _, world := range []string{direct, fullDisk} {
		t.Run(world, func(t *testing.T) { soak(t, world) })
	}
}

func soak(t *testing.T, kind string) {
	t.Logf("-seed %d", *seed)
	w := newWorld(t, kind)
	o := observe(t, w.server.Root)
	for end := time.Now().Add(*duration / 2); time.Now().Before(end) && !t.Failed(); {
		w.trouble()
	}
	w.heal()
	w.each(settling)
	if !t.Failed() {
		w.requireOracle()
	}
	w.each(comparing)
	looks, files := o.end()
	w.did("look at the server", looks)
	w.did("file seen on the server", files)
	if !t.Failed() {
		w.requireAgreement()
	}
	w.report()
}

func newWorld(t testing.TB, kind string) *world {
	w := &world{TB: t, rand: rand.New(rand.NewPCG(*seed, 0)), server: opensshtest.Start(t, opensshtest.Options{}),
		oracle: t.TempDir(), local: t.TempDir(), count: map[string]int{}}
	if kind == fullDisk {
		w.disk = newDisk(t, w.server.Root)
	}
	require.NoError(t, os.Mkdir(filepath.Join(w.server.Root, shared), 0o755))
	names := []string{"c0", "c1", "c2"}
	if kind == direct {
		names = append(names, direct)
	}
	for i, name := range names {
		l, err := link.New(w.server.Addr, link.Options{RoundTrip: time.Duration(i) * 5 * time.Millisecond})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		p := &process{link: l, setting: setting{Name: name, Kind: i, Local: filepath.Join(w.local, name),
			Oracle: filepath.Join(w.oracle, name), Listing: filepath.Join(w.local, name+".json"),
			Addr: w.server.Addr, Via: l.Addr(), User: w.server.User, KeyFile: w.server.KeyFile, KnownHosts: w.server.KnownHosts,
			Root: w.server.Root}}
		p.Others = append(slices.Clone(names[:i]), names[i+1:]...)
		require.NoError(t, os.Mkdir(p.Local, 0o755))
		for _, root := range []string{p.Oracle, w.server.Root} {
			for _, dir := range []string{stable, "hand"} {
				require.NoError(t, os.MkdirAll(filepath.Join(root, name, dir), 0o755))
			}
		}
		w.clients = append(w.clients, p)
		w.start(p, working)
	}
	t.Cleanup(func() {
		for _, p := range w.clients {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return w
}

func (w *world) did(what string, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count[what] += times
}

// start starts the next process of a client.
func (w *world) start(p *process, ph phase) {
	p.Phase, p.Seed = ph, w.rand.Uint64()
	p.Clock, p.Drift = 0, 0
	if w.rand.IntN(2) == 0 {
		p.Clock = time.Duration(w.rand.Int64N(int64(4*time.Hour))) - 2*time.Hour
		p.Drift = w.rand.Float64() - 0.5
	}
	text, err := json.Marshal(p.setting)
	require.NoError(w, err)
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), clientEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(w, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(w, err)
	require.NoError(w, p.cmd.Start())
	ended := make(chan struct{})
	p.ended = ended
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var l line
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				continue // its end is missing
			}
			if l.Wrong != "" {
				w.Errorf("%s", l.Wrong)
			}
			if l.Did != "" {
				w.did(l.Did, 1)
			}
		}
		if err := p.cmd.Wait(); err != nil && !strings.Contains(err.Error(), "signal: killed") {
			w.Errorf("%s: %v", p.Name, err)
		}
	}()
}

// wait is how long a trouble lasts, or the time to the next one.
func (w *world) wait(most time.Duration) { time.Sleep(time.Duration(w.rand.Int64N(int64(most)))) }

// trouble makes something happen.
func (w *world) trouble() {
	w.wait(200 * time.Millisecond)
	p := w.clients[w.rand.IntN(len(w.clients))]
	kind := ""
	switch w.rand.IntN(14) {
	case 0:
		kind = "cut"
		p.link.Cut()
	case 1:
		kind = "reset"
		p.link.Reset()
	case 2, 3:
		kind = "cut in the middle"
		p.link.CutAfter([]link.Direction{link.Up, link.Down}[w.rand.IntN(2)], w.rand.Int64N(200_000))
	case 4:
		switch w.rand.IntN(3) {
		case 0:
			kind = "freeze"
			p.link.Freeze()
		case 1:
			kind = "freeze requests"
			p.link.FreezeOne(link.Up)
		case 2:
			kind = "freeze answers"
			p.link.FreezeOne(link.Down)
		}
		w.wait(4 * time.Second) // longer than IdleTimeout now and then
		p.link.Thaw()
	case 5, 6:
		kind = "kill a client"
		w.kill(p)
	case 7:
		kind = "kill a client behind a frozen link" // what it has sent is executed late
		p.link.Freeze()
		w.wait(300 * time.Millisecond)
		w.kill(p)
		w.wait(2 * time.Second)
		p.link.Thaw()
	case 8:
		kind = "suspend a client"
		w.suspend(p.cmd.Process.Pid, 3*time.Second)
	case 9:
		kind = "kill a session"
		if pid := w.session(); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	case 10:
		kind = "suspend a session"
		if pid := w.session(); pid != 0 {
			w.suspend(pid, 4*time.Second)
		}
	case 11:
		if w.rand.IntN(4) == 0 {
			kind = "restart the server"
			w.server.Restart()
		} else {
			kind = "foreign change"
			w.changeForeign()
		}
	case 12:
		kind = "close half a connection"
		p.link.HalfClose([]link.Direction{link.Up, link.Down}[w.rand.IntN(2)])
	case 13:
		if w.disk == nil {
			return
		}
		kind = "fill the server's disk"
		w.disk.fill()
		w.wait(time.Second)
		w.disk.empty()
	}
	w.did(kind, 1)
}

// kill kills a client and starts it again.
func (w *world) kill(p *process) {
	require.NoError(w, p.cmd.Process.Kill())
	<-p.ended
	w.start(p, working)
}

func (w *world) suspend(pid int, most time.Duration) {
	if syscall.Kill(pid, syscall.SIGSTOP) == nil {
		w.wait(most)
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// session returns the process id of one of the server's sessions; 0: there is none.
func (w *world) session() int {
	sessions := w.server.Sessions()
	if len(sessions) == 0 {
		return 0
	}
	return sessions[w.rand.IntN(len(sessions))]
}

// changeForeign replaces, renames or removes a file of the shared directory on the server.
func (w *world) changeForeign() {
	name := filepath.Join(w.server.Root, shared, fmt.Sprintf("x%d", w.rand.IntN(5)))
	switch w.rand.IntN(4) {
	case 0:
		_ = os.Remove(name)
	case 1:
		_ = os.Rename(name, filepath.Join(w.server.Root, shared, fmt.Sprintf("x%d", w.rand.IntN(5))))
	default:
		temp := filepath.Join(w.server.Root, ".syncfs-foreign") // nobody sees it
		err := os.WriteFile(temp, record("foreign", int(w.rand.Int32()), make([]byte, w.rand.IntN(10_000))), 0o644)
		require.NoError(w, err)
		require.NoError(w, os.Rename(temp, name))
	}
}

// heal ends all troubles and the work of the clients. What was under way arrives.
func (w *world) heal() {
	for _, p := range w.clients {
		p.link.CutAfter(link.Up, 1<<62)
		require.NoError(w, p.stdin.Close())
	}
	for _, p := range w.clients {
		<-p.ended
	}
}

// each lets each client run once, to its end.
func (w *world) each(ph phase) {
	for _, p := range w.clients {
		w.start(p, ph)
	}
	for _, p := range w.clients {
		<-p.ended
		_ = p.stdin.Close()
	}
}

// requireOracle requires that the server has in the clients' directories what the oracle has, and nothing temporary.
func (w *world) requireOracle() {
	for _, p := range w.clients {
		want, err := contents(aferotest.OS(p.Oracle), "/"+p.Name)
		require.NoError(w, err)
		got, err := contents(aferotest.OS(w.server.Root), "/"+p.Name)
		require.NoError(w, err)
		for _, difference := range differences(got, want) {
			w.Errorf("on the server: %s", difference)
		}
	}
	require.NoError(w, filepath.WalkDir(w.server.Root, func(name string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".part") {
			w.Errorf("left on the server: %s", name)
		}
		return err
	}))
}

// requireAgreement requires that each client sees what the server has.
func (w *world) requireAgreement() {
	want, err := contents(aferotest.OS(w.server.Root), "/")
	require.NoError(w, err)
	for _, p := range w.clients {
		text, err := os.ReadFile(p.Listing)
		require.NoError(w, err)
		var got map[string]string
		require.NoError(w, json.Unmarshal(text, &got))
		for _, difference := range differences(got, want) {
			w.Errorf("%s sees %s", p.Name, difference)
		}
	}
}

// report logs what has happened.
func (w *world) report() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(w.count)) {
		w.Logf("%7d  %s", w.count[name], name)
	}
}
