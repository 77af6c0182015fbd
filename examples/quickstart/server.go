package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// server is the remote side of the story, with switches to take it away and bring it back.
type server struct {
	name     string     // as the reader is told
	remote   *sftpfs.Fs // what package syncfs works on
	observer afero.Fs   // the same directory over another connection, to see what is really there
	down     string     // what the reader is told when it is taken away

	up      bool
	takeOff func() error // makes it unreachable, and putBack undoes that
	putBack func() error
	close   func() error // ends everything, and removes from a real server what the story made there
}

// openServer starts the server that the options ask for and fills it with the files the story begins with.
func openServer(ctx context.Context, o options) (*server, error) {
	open := inProcess
	if o.url != "" {
		open = atURL
	}
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	s.up = true
	if err := s.fill(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *server) fill() error {
	for _, file := range []struct{ name, text string }{
		{"welcome.txt", "hello from the server\n"},
		{"data/a.csv", "1,2,3\n"},
		{"data/b.csv", "4,5,6\n"},
		{"archive/old.txt", "long ago\n"},
	} {
		// WriteReader makes the directories too.
		if err := afero.WriteReader(s.observer, file.name, strings.NewReader(file.text)); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) stop() error {
	s.up = false
	return s.takeOff()
}

// start brings the server back and waits until it answers: for a moment after a failed attempt, sftpfs does not dial.
func (s *server) start(ctx context.Context) error {
	if err := s.putBack(); err != nil {
		return err
	}
	s.up = true
	for {
		err := s.remote.Connect(ctx)
		if !errors.Is(err, sftpfs.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
