package sftpfs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A real program would use
//
//	cfg := sftpfs.Config{Addr: "example.com:1222", User: "me", Root: "/upload"}
//
// which takes the key from ssh-agent or ~/.ssh, and the host key from ~/.ssh/known_hosts.
func ExampleNew() {
	server, err := sftptest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	cfg := server.Config()

	remote, err := sftpfs.New(cfg)
	if err != nil {
		log.Fatal(err) // cfg is wrong; nobody has been asked yet
	}
	defer remote.Close()

	if err := afero.WriteFile(remote, "greeting.txt", []byte("Hello"), 0o644); err != nil {
		log.Fatal(err)
	}
	_, err = remote.Open("nowhere.txt")
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, sftpfs.ErrUnavailable))

	_ = server.Stop()
	_, err = remote.Open("greeting.txt")
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, sftpfs.ErrUnavailable))
	// Output:
	// true false
	// false true
}

func ExampleFs_WithContext() {
	server, err := sftptest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	remote, err := sftpfs.New(server.Config())
	if err != nil {
		log.Fatal(err)
	}
	defer remote.Close()

	server.Freeze() // a server that answers nothing
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = remote.WithContext(ctx).Stat("greeting.txt")
	fmt.Println(err)
	// Output: stat greeting.txt: context deadline exceeded
}

func ExampleParseURL() {
	cfg, err := sftpfs.ParseURL("sftp://me@example.com:1222/upload")
	fmt.Println(cfg.Addr, cfg.User, cfg.Root, err)
	// Output: example.com:1222 me /upload <nil>
}
