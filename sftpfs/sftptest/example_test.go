package sftptest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func Example() {
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

	if err := afero.WriteFile(remote, "hello.txt", []byte("Hello over SFTP"), 0o644); err != nil {
		log.Fatal(err)
	}
	content, err := afero.ReadFile(remote, "hello.txt")
	fmt.Println(string(content), err)
	// Output: Hello over SFTP <nil>
}

// The tree can be any afero.Fs, and looked at from behind.
func Example_fs() {
	tree := afero.NewMemMapFs()
	_ = afero.WriteFile(tree, "/data/report.csv", []byte("1,2,3"), 0o644)
	server, err := sftptest.New(&sftptest.Options{Fs: tree, User: "me", Password: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	cfg := server.Config()
	cfg.Root = "/data"
	remote, err := sftpfs.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer remote.Close()

	fmt.Println(remote.Rename("report.csv", "old.csv"))
	fmt.Println(afero.Exists(tree, "/data/old.csv"))
	// Output:
	// <nil>
	// true <nil>
}

// Any function that changes Options can be given along with characters.
func ExampleStart() {
	t := newT() // in a test, its *testing.T
	defer t.end()

	server := sftptest.Start(t, sftptest.NoSymlink(), func(o *sftptest.Options) { o.User = "me" })

	fmt.Println(server.Config().User)
	// Output: me
}

// A server that takes each file as soon as it is closed shows whether a program uploads by way of temporary names.
func ExampleDropFolder() {
	t := newT() // in a test, its *testing.T
	defer t.end()
	server := sftptest.Start(t, sftptest.DropFolder(), sftptest.NoRename())

	remote, err := sftpfs.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	f, err := remote.OpenFile("order.csv", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "1,2,3")
	f.Close()

	for _, taken := range server.Taken() {
		fmt.Printf("%s: %s\n", taken.Path, taken.Content)
	}
	// Output: /order.csv: 1,2,3
}

// A hook that refuses some requests.
func ExampleHook() {
	t := newT() // in a test, its *testing.T
	defer t.end()
	server := sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind == sftptest.Mkdir && strings.HasPrefix(r.Path, "/archive/") {
			return sftptest.Refuse(sftptest.StatusPermissionDenied, "the archive is read-only")
		}
		return r.Next()
	}))

	remote, err := sftpfs.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	fmt.Println(remote.Mkdir("archive", 0o755))
	fmt.Println(errors.Is(remote.Mkdir("archive/2026", 0o755), os.ErrPermission))
	// Output:
	// <nil>
	// true
}

// The server executes a request late: its client has given up and closed the connection.
func ExampleRequest_Wait() {
	t := newT() // in a test, its *testing.T
	defer t.end()
	tree := afero.NewMemMapFs()
	_ = afero.WriteFile(tree, "/f", []byte("old"), 0o644)
	received, release, done := make(chan bool), make(chan struct{}), make(chan bool)
	server := sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind != sftptest.Remove {
			return r.Next()
		}
		received <- true
		r.Wait(release)
		defer close(done)
		return r.Next()
	}), func(o *sftptest.Options) { o.Fs = tree })

	remote, err := sftpfs.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-received
		cancel()
	}()
	fmt.Println(errors.Is(remote.WithContext(ctx).Remove("f"), context.Canceled))
	remote.Close()

	fmt.Println(afero.Exists(tree, "/f"))
	close(release)
	<-done
	fmt.Println(afero.Exists(tree, "/f"))
	// Output:
	// true
	// true <nil>
	// false <nil>
}

// A program that reads a known_hosts file is given one.
func ExampleServer_KnownHosts() {
	t := newT() // in a test, its *testing.T
	defer t.end()
	server := sftptest.Start(t)
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(server.KnownHosts()), 0o600); err != nil {
		t.Fatal(err)
	}

	cfg := server.Config()
	cfg.HostKeyCallback, cfg.KnownHosts = nil, []string{file}
	remote, err := sftpfs.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	fmt.Println(remote.Connect(context.Background()))
	// Output: <nil>
}
