package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// mountPatience is how long a mount may take to appear and to vanish, apart from the latency of the wire.
	mountPatience = 30 * time.Second
	// outputLimit bounds how many bytes of a process's error output are shown.
	outputLimit = 2000
)

// runner starts processes that use nothing of the user's.
type runner struct {
	env []string
	dir string
}

// cleanEnv returns an environment with an empty home.
func cleanEnv(home, temp string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "USER=" + os.Getenv("USER"), "HOME=" + home, "TMPDIR=" + temp, "LC_ALL=C"}
}

// command returns a process whose group is killed when ctx ends.
func (r runner) command(ctx context.Context, words []string, stderr io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env, cmd.Dir, cmd.Stderr = r.env, r.dir, stderr
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs a plan to its end and returns the output of the last command of the pipe.
func (r runner) run(ctx context.Context, p plan, mountPoint string) (output string, err error) {
	if p.mount != nil {
		unmount, err := r.mount(ctx, p.mount, mountPoint)
		if err != nil {
			return "", err
		}
		output, err = r.pipe(ctx, p)
		return output, errors.Join(err, unmount())
	}
	return r.pipe(ctx, p)
}

func (r runner) pipe(ctx context.Context, p plan) (string, error) {
	var output bytes.Buffer
	complaints := make([]bytes.Buffer, len(p.pipe))
	commands := make([]*exec.Cmd, len(p.pipe))
	var stdin io.Reader
	if p.input != "" {
		stdin = strings.NewReader(p.input)
	}
	var between []*os.File // pipe ends that the processes have inherited, and this process must close
	closeBetween := func() {
		for _, f := range between {
			f.Close()
		}
		between = nil
	}
	defer closeBetween()
	for k, words := range p.pipe {
		commands[k] = r.command(ctx, words, &complaints[k])
		commands[k].Stdin = stdin
		if k == len(p.pipe)-1 {
			commands[k].Stdout = &output
			break
		}
		out, in, err := os.Pipe()
		if err != nil {
			return "", err
		}
		between = append(between, out, in)
		commands[k].Stdout, stdin = in, out
	}
	var errs []error
	started := 0
	for ; started < len(commands); started++ {
		if err := commands[started].Start(); err != nil {
			errs = append(errs, err)
			break
		}
	}
	closeBetween() // so that the started processes see the end of a neighbor that did not start
	for k, cmd := range commands[:started] {
		if err := cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, tail(complaints[k].String())))
		}
	}
	return output.String(), errors.Join(errs...)
}

// mount starts a process that serves a mount point, and returns when it is mounted. unmount unmounts it and waits for
// the process.
func (r runner) mount(ctx context.Context, words []string, mountPoint string) (unmount func() error, err error) {
	var complaint bytes.Buffer
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	cmd := r.command(serving, words, &complaint)
	if err := cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	unmount = func() error {
		defer stop()
		// Unmount even if ctx has ended: the cleanup must not find the server's files there.
		out, err := exec.Command("fusermount3", "-u", mountPoint).CombinedOutput()
		if err != nil {
			stop()
			<-ended
			lazily, errLazily := exec.Command("fusermount3", "-u", "-z", mountPoint).CombinedOutput()
			return errors.Join(fmt.Errorf("unmounting: %w\n%s", err, out), describe(errLazily, string(lazily)))
		}
		select {
		case err := <-ended:
			return describe(err, complaint.String())
		case <-time.After(mountPatience):
			stop()
			<-ended
			return fmt.Errorf("%s does not end after it is unmounted", words[0])
		}
	}
	for deadline := time.Now().Add(mountPatience); ; time.Sleep(time.Millisecond) {
		select {
		case err := <-ended:
			stop()
			return nil, fmt.Errorf("%s ended at once: %w\n%s", words[0], err, tail(complaint.String()))
		default:
		}
		mounted, err := isMounted(mountPoint)
		switch {
		case err != nil || ctx.Err() != nil:
		case mounted:
			return unmount, nil
		case time.Now().After(deadline):
			err = fmt.Errorf("%s has not mounted after %v", words[0], mountPatience)
		default:
			continue
		}
		return nil, errors.Join(err, ctx.Err(), unmount())
	}
}

func describe(err error, output string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s", err, tail(output))
}

// tail returns the end of a text that may be long.
func tail(text string) string {
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-outputLimit):]
}
