package syncfs_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/syncfs"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A file of the remote is read, changed and made here, and then pushed.
func Example() {
	remote, local := afero.NewMemMapFs(), afero.NewMemMapFs()
	check(afero.WriteFile(remote, "/remote.txt", []byte("hello"), 0o644))
	check(afero.WriteFile(local, "/report.csv", []byte("a,b\n"), 0o644))

	fs, err := syncfs.New(remote, local, nil)
	check(err)
	defer fs.Close()
	text, err := afero.ReadFile(fs, "remote.txt") // fetched
	check(err)
	check(afero.WriteFile(fs, "answer.txt", append(text, " yourself"...), 0o644))
	check(fs.Add("report.csv"))
	for _, change := range fs.Pending() {
		fmt.Println(change)
	}
	_, err = fs.Push(context.Background())
	check(err)
	answer, err := afero.ReadFile(remote, "/answer.txt")
	check(err)
	fmt.Printf("%s, %d pending\n", answer, len(fs.Pending()))
	// Output:
	// put answer.txt
	// put report.csv
	// hello yourself, 0 pending
}

// What another client has written since is not overwritten.
func ExampleFs_Push_conflict() {
	remote := afero.NewMemMapFs()
	check(afero.WriteFile(remote, "/a.txt", []byte("one"), 0o644))
	fs, err := syncfs.New(remote, afero.NewMemMapFs(), nil)
	check(err)
	defer fs.Close()
	check(afero.WriteFile(fs, "a.txt", []byte("ours"), 0o644))
	check(afero.WriteFile(remote, "/a.txt", []byte("by another client"), 0o644))

	_, err = fs.Push(context.Background())
	fmt.Println(errors.Is(err, syncfs.ErrConflict))
	fmt.Println(err)
	check(fs.Discard("a.txt"))
	text, err := afero.ReadFile(fs, "a.txt")
	check(err)
	fmt.Printf("%s\n", text)
	// Output:
	// true
	// push put a.txt: changed on the remote: it was written there
	// by another client
}

// Everything below a directory of the local directory is queued.
func ExampleFs_AddDir() {
	local := afero.NewMemMapFs()
	for _, name := range []string{"/photos/1.jpg", "/photos/old/2.jpg"} {
		check(afero.WriteFile(local, name, nil, 0o644))
	}
	fs, err := syncfs.New(afero.NewMemMapFs(), local, nil)
	check(err)
	defer fs.Close()
	check(fs.AddDir("photos", func(name string) { fmt.Println(name) }))
	// Unordered output:
	// photos/1.jpg
	// photos/old/2.jpg
}
