package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
)

// The calls below are made by more than one step. Each says in one line what came of it.

func (s *story) say(call, name, result string) {
	fmt.Fprintf(s.out, "   %-6s  %-15s  %s\n", call, name, result)
}

func (s *story) open(name, how string) error {
	text, err := afero.ReadFile(s.fs, name)
	if err != nil {
		return err
	}
	s.say("Open", name, fmt.Sprintf("%q, %s", strings.TrimSpace(string(text)), how))
	return nil
}

// openFails expects an error that matches want and does not match unwanted.
func (s *story) openFails(name string, want, unwanted error, meaning string) error {
	f, err := s.fs.Open(name)
	if err == nil {
		return errors.Join(fmt.Errorf("%s could be opened", name), f.Close())
	}
	if !errors.Is(err, want) || errors.Is(err, unwanted) {
		return fmt.Errorf("opening %s gave the wrong error: %w", name, err)
	}
	s.say("Open", name, "fails with "+meaning+":")
	fmt.Fprintf(s.out, "           %v\n", err)
	return nil
}

func (s *story) write(name, text string) error {
	if err := afero.WriteFile(s.fs, name, []byte(text), 0o644); err != nil {
		return err
	}
	s.say("Write", name, "is local, and queued")
	return nil
}

// pushAll pushes and expects that nothing is left in the queue.
func (s *story) pushAll(ctx context.Context) error {
	report, err := s.fs.Push(ctx)
	if err != nil {
		return err
	}
	for _, result := range report.Results {
		s.say("Push", result.Name, result.Op.String())
	}
	if left := s.fs.Pending(); len(left) > 0 {
		return fmt.Errorf("after Push %d changes are still queued", len(left))
	}
	return nil
}

// onServer expects that the server has the same bytes as the local directory.
func (s *story) onServer(names ...string) error {
	for _, name := range names {
		local, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		remote, err := afero.ReadFile(s.server.observer, name)
		if err != nil {
			return err
		}
		if string(local) != string(remote) {
			return fmt.Errorf("%s differs: %q here, %q on the server", name, local, remote)
		}
	}
	return nil
}

func (s *story) isLocal(name string) bool {
	_, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name)))
	return err == nil
}
