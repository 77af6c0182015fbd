package main

import (
	"context"
	"errors"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// inProcess starts a server inside the program, which keeps its files in memory.
func inProcess(context.Context, options) (*server, error) {
	test, err := sftptest.New(nil)
	if err != nil {
		return nil, err
	}
	remote, err := sftpfs.New(test.Config())
	if err != nil {
		return nil, errors.Join(err, test.Close())
	}
	observer, err := sftpfs.New(test.Config())
	if err != nil {
		return nil, errors.Join(err, remote.Close(), test.Close())
	}
	return &server{
		name:     test.Addr() + ", inside this program",
		remote:   remote,
		observer: observer,
		down:     "The server is stopped.",
		takeOff:  test.Stop,
		putBack:  test.Start,
		close: func() error {
			return errors.Join(remote.Close(), observer.Close(), test.Close())
		},
	}, nil
}
