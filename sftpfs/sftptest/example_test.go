package sftptest_test

import (
	"fmt"
	"log"

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
