package cachefs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// The first open fetches a file, later ones read the copy, also while the remote cannot be reached.
func Example() {
	remote := afero.NewMemMapFs() // in production: sftpfs.New
	if err := afero.WriteFile(remote, "/data/report.csv", []byte("a,b\n1,2\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cache")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	cache, err := cachefs.New(remote, afero.NewBasePathFs(afero.NewOsFs(), dir), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()

	content, err := afero.ReadFile(cache, "data/report.csv")
	fmt.Printf("%s%v\n", content, err)
	_, err = cache.Open("data/missing.csv")
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	// Output:
	// a,b
	// 1,2
	// <nil>
	// open data/missing.csv: file does not exist true
}

// Pull makes a tree available without the remote.
func ExampleFs_Pull() {
	remote, local := afero.NewMemMapFs(), afero.NewMemMapFs()
	for _, name := range []string{"/data/a", "/data/b", "/data/sub/c"} {
		if err := afero.WriteFile(remote, name, []byte("12345"), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	cache, err := cachefs.New(remote, local, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()

	report, err := cache.Pull(context.Background(), "data")
	fmt.Println(len(report.Results), "files,", report.Bytes, "bytes,", err)
	report, err = cache.Pull(context.Background(), "data")
	fmt.Println(len(report.Results), "files,", report.Bytes, "bytes,", err)
	// Output:
	// 3 files, 15 bytes, <nil>
	// 3 files, 0 bytes, <nil>
}

// A file that is open keeps its copy.
func ExampleFs_Evict() {
	remote := afero.NewMemMapFs()
	if err := afero.WriteFile(remote, "/f", []byte("12345"), 0o644); err != nil {
		log.Fatal(err)
	}
	cache, err := cachefs.New(remote, afero.NewMemMapFs(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()

	f, err := cache.Open("/f")
	if err != nil {
		log.Fatal(err)
	}
	err = cache.Evict("/f")
	fmt.Println(err, errors.Is(err, cachefs.ErrBusy))
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cache.Evict("/f"))
	// Output:
	// evict /f: file is in use true
	// <nil>
}
