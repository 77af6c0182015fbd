package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// check returns an error if the result of a job is wrong, even in one byte.
func (b *bench) check(t tool, j job, output string, r report) error {
	original := filepath.Join(b.dataDir(j.item), j.item.name)
	switch j.task {
	case pull:
		return compare(original, j.local())
	case push:
		return errors.Join(alone(j.remoteDir, j.item.name), compare(original, j.remote()))
	case edits:
		return errors.Join(compare(j.local(), j.remote()), checkSent(t, j, r))
	case list:
		return sameFiles(j.item.list(), parseList(t, output))
	case reads:
		return checkDigest(original, blockOffsets(j.item.bytes(), j.blocks), blockSize, r.Digest)
	case first:
		got := r.Digest
		if got == "" {
			got = digest([]byte(output))
		}
		return checkDigest(original, []int64{0}, 1, got)
	case cached:
		want, err := digestFiles(original, j.item)
		if err == nil && want != r.Digest {
			err = errors.New("other content was read")
		}
		return err
	}
	return fmt.Errorf("no check for %q", j.task)
}

// alone checks that dir contains nothing but one name, so that no temporary file is left.
func alone(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != name {
			return fmt.Errorf("%s was left in %s", entry.Name(), dir)
		}
	}
	return nil
}

// checkSent checks that a push of an edited tree by us sent the edited files and no others.
func checkSent(t tool, j job, r report) error {
	if !t.ours {
		return nil
	}
	files := j.item.list()
	n := edited(len(files))
	if r.Changes != n || r.Bytes != int64(n)*files[0].size {
		return fmt.Errorf("%d changes of %d bytes were sent for %d edited files", r.Changes, r.Bytes, n)
	}
	return nil
}

func parseList(t tool, output string) []file {
	var files []file
	for line := range strings.Lines(output) {
		if f, ok := t.parse(strings.TrimRight(line, "\n")); ok {
			files = append(files, f)
		}
	}
	return files
}

// checkDigest checks the digest of blocks of a file.
func checkDigest(name string, offsets []int64, size int, got string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	blocks := make([][]byte, len(offsets))
	for k, offset := range offsets {
		blocks[k] = make([]byte, size)
		if _, err := io.ReadFull(io.NewSectionReader(f, offset, int64(size)), blocks[k]); err != nil {
			return err
		}
	}
	if digest(blocks...) != got {
		return errors.New("other content was read")
	}
	return nil
}

// digestFiles returns the digest of all files of an item, in the order of its list.
func digestFiles(dir string, i item) (string, error) {
	var contents [][]byte
	for _, f := range i.list() {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.name)))
		if err != nil {
			return "", err
		}
		contents = append(contents, b)
	}
	return digest(contents...), nil
}
