package opensshtest

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// patience is how long sshd may take to start or to die. It only has to be longer than a busy machine needs.
const patience = 30 * time.Second

// process is one sshd with the sessions that it has forked.
type process struct {
	cmd       *exec.Cmd
	output    *output
	exited    chan struct{} // closed when sshd and all processes that have inherited its log have ended
	exitError error         // of Wait; valid after exited
}

func startProcess(command []string, config string) (*process, error) {
	out := &output{listening: make(chan struct{})}
	cmd := exec.Command(command[0], append(slices.Clone(command[1:]), "-D", "-e", "-f", config)...)
	cmd.Stderr = out
	// Wait also waits for the sessions, which hold the log open, but not forever.
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, output: out, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		p.exitError = cmd.Wait()
	}()
	select {
	case <-out.listening:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("sshd ended at once (%w):\n%s", p.exitError, p.log())
	case <-time.After(patience):
		return nil, errors.Join(fmt.Errorf("sshd does not listen after %v:\n%s", patience, p.log()), p.stop())
	}
}

func (p *process) log() string { return p.output.String() }

// stop kills sshd and its sessions, and waits for them.
func (p *process) stop() error {
	err := killTree(p.cmd.Process)
	<-p.exited
	if errors.Is(p.exitError, exec.ErrWaitDelay) {
		err = errors.Join(err, errors.New("a session outlived the server"))
	}
	return err
}

// output collects the log of sshd and detects the line that says that it listens.
type output struct {
	listening chan struct{} // closed at that line

	mu   sync.Mutex // guards the fields below
	text bytes.Buffer
	seen bool
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	if !o.seen && bytes.Contains(o.text.Bytes(), []byte("Server listening on ")) {
		o.seen = true
		close(o.listening)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
