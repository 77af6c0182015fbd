package syncfs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// Each conflict is decided by what is known about it: here the newer version wins.
func ExampleOptions_resolve() {
	remote := afero.NewMemMapFs()
	check(afero.WriteFile(remote, "/a.txt", []byte("one"), 0o644))
	newer := func(c syncfs.Conflict) syncfs.ConflictPolicy {
		if c.Local != nil && c.Remote != nil && c.Local.ModTime().After(c.Remote.ModTime()) {
			return syncfs.Overwrite
		}
		return syncfs.KeepBoth
	}
	fs, err := syncfs.New(remote, afero.NewMemMapFs(), &syncfs.Options{Resolve: newer})
	check(err)
	defer fs.Close()
	check(afero.WriteFile(fs, "a.txt", []byte("ours"), 0o644))
	check(afero.WriteFile(remote, "/a.txt", []byte("by another client, long ago"), 0o644))
	check(remote.Chtimes("/a.txt", time.Unix(0, 0), time.Unix(0, 0)))

	report, err := fs.Push(context.Background())
	check(err)
	fmt.Println(report.Results[0].Conflict)
	text, err := afero.ReadFile(remote, "/a.txt")
	check(err)
	fmt.Printf("%s\n", text)
	// Output:
	// changed on the remote: it was written there
	// ours
}

// A conflict that was reported is decided by name.
func ExampleFs_PushWith() {
	remote := afero.NewMemMapFs()
	check(afero.WriteFile(remote, "/a.txt", []byte("one"), 0o644))
	fs, err := syncfs.New(remote, afero.NewMemMapFs(), nil)
	check(err)
	defer fs.Close()
	check(afero.WriteFile(fs, "a.txt", []byte("ours"), 0o644))
	check(afero.WriteFile(remote, "/a.txt", []byte("by another client"), 0o644))

	_, err = fs.Push(context.Background())
	fmt.Println(errors.Is(err, syncfs.ErrConflict))
	_, err = fs.PushWith(context.Background(), syncfs.Overwrite, "a.txt")
	fmt.Println(err)
	// Output:
	// true
	// <nil>
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
