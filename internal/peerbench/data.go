package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// dataTime is the modification time of files that are not edited. It is in the past and in whole seconds, because some
// tools keep only these.
var dataTime = time.Date(2024, 5, 6, 7, 8, 0, 0, time.UTC)

// makeItem writes an item into dir. Its content looks random, but is always the same.
func makeItem(dir string, i item) error {
	for _, f := range i.list() {
		name := filepath.Join(dir, i.name, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := writeRandom(name, f.size, sha256.Sum256([]byte(i.name+"/"+f.name))); err != nil {
			return err
		}
		if err := os.Chtimes(name, dataTime, dataTime); err != nil {
			return err
		}
	}
	return nil
}

func writeRandom(name string, size int64, seed [32]byte) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(f, rand.NewChaCha8(seed), size)
	return err
}

// copyItem copies a tree with its times, like a tool that has copied it earlier.
func copyItem(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(name, dataTime, dataTime)
	})
}

// editItem changes n files of the tree at dir, spread over the whole tree, like another program: in place and without
// notification. The sizes stay the same.
func editItem(dir string, i item, n int) error {
	files := i.list()
	for k := range n {
		f := files[k*len(files)/n]
		name := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := writeRandom(name, f.size, sha256.Sum256([]byte("edited "+f.name))); err != nil {
			return err
		}
	}
	return nil
}

// compare checks that two files or trees are equal in every name and byte.
func compare(want, got string) error {
	wanted, err := regularFiles(want)
	if err != nil {
		return err
	}
	have, err := regularFiles(got)
	if err != nil {
		return err
	}
	if err := sameFiles(wanted, have); err != nil {
		return fmt.Errorf("%s: %w", got, err)
	}
	for _, f := range wanted {
		if err := compareFile(filepath.Join(want, f.name), filepath.Join(got, f.name)); err != nil {
			return err
		}
	}
	return nil
}

// regularFiles returns the files of a tree. Anything but a regular file or a directory is an error.
func regularFiles(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no file", name)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if relative == "." {
			relative = ""
		}
		files = append(files, file{filepath.ToSlash(relative), info.Size()})
		return err
	})
	return files, err
}

// sameFiles checks that two lists contain the same files, in any order.
func sameFiles(want, got []file) error {
	missing := make(map[file]int)
	for _, f := range want {
		missing[f]++
	}
	for _, f := range got {
		if missing[f]--; missing[f] == 0 {
			delete(missing, f)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	first := slices.MinFunc(slices.Collect(maps.Keys(missing)), func(a, b file) int { return strings.Compare(a.name, b.name) })
	which := "missing"
	if missing[first] < 0 {
		which = "not expected"
	}
	return fmt.Errorf("%d files in place of %d; %q of %d bytes is %s",
		len(got), len(want), first.name, first.size, which)
}

func compareFile(want, got string) error {
	a, err := os.Open(want)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(got)
	if err != nil {
		return err
	}
	defer b.Close()
	buffers := [2][]byte{make([]byte, mib), make([]byte, mib)}
	for at := int64(0); ; {
		n, errA := io.ReadFull(a, buffers[0])
		m, errB := io.ReadFull(b, buffers[1])
		switch {
		case !bytes.Equal(buffers[0][:n], buffers[1][:m]):
			return fmt.Errorf("%s differs within the MiB at %d", got, at)
		case atEnd(errA) && atEnd(errB):
			return nil
		case errA != nil || errB != nil:
			return errors.Join(errA, errB)
		}
		at += int64(n)
	}
}

func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// blockOffsets returns the offsets of the random reads in a file of this size. They are the same for every tool.
func blockOffsets(size int64, n int) []int64 {
	random := rand.New(rand.NewPCG(1, 2))
	offsets := make([]int64, n)
	for k := range offsets {
		offsets[k] = random.Int64N(size - blockSize + 1)
	}
	return offsets
}

// digest returns a hash of the contents and their lengths, in this order.
func digest(contents ...[]byte) string {
	h := sha256.New()
	for _, b := range contents {
		fmt.Fprintln(h, len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}
