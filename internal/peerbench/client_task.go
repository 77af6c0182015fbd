package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/afero"
)

// generic does a task with only the methods that every afero.Fs has.
func (c clientJob) generic(fsys afero.Fs, out io.Writer) (report, error) {
	switch task(c.task) {
	case pull:
		return report{}, eachFile(fsys, c.item, func(name string, _ fs.FileInfo) error {
			return readAll(fsys, name, io.Discard)
		})
	case push:
		return report{}, c.copyTo(fsys)
	case list:
		return report{}, eachFile(fsys, c.item, func(name string, info fs.FileInfo) error {
			_, err := fmt.Fprintln(out, info.Size(), strings.TrimPrefix(name, c.item+"/"))
			return err
		})
	case reads:
		return c.readBlocks(fsys)
	case first:
		return c.readFirst(fsys)
	case cached:
		return c.readNamed(fsys)
	}
	return report{}, fmt.Errorf("no task %q", c.task)
}

func eachFile(fsys afero.Fs, root string, do func(name string, info fs.FileInfo) error) error {
	return afero.Walk(fsys, root, func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		return do(filepath.ToSlash(name), info)
	})
}

func readAll(fsys afero.Fs, name string, to io.Writer) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

// copyTo writes the local item through fsys.
func (c clientJob) copyTo(fsys afero.Fs) error {
	local := afero.NewBasePathFs(afero.NewOsFs(), c.localDir)
	return afero.Walk(local, c.item, func(name string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fsys.MkdirAll(name, 0o755)
		}
		f, err := fsys.Create(name)
		if err != nil {
			return err
		}
		return errors.Join(readAll(local, name, f), f.Close())
	})
}

// readBlocks reads all blocks concurrently.
func (c clientJob) readBlocks(fsys afero.Fs) (report, error) {
	f, err := fsys.Open(c.item)
	if err != nil {
		return report{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return report{}, err
	}
	offsets := blockOffsets(info.Size(), c.blocks)
	blocks := make([][]byte, len(offsets))
	errs := make([]error, len(offsets))
	var wg sync.WaitGroup
	for k, offset := range offsets {
		wg.Go(func() {
			blocks[k] = make([]byte, blockSize)
			_, errs[k] = io.ReadFull(io.NewSectionReader(f, offset, blockSize), blocks[k])
		})
	}
	wg.Wait()
	return report{Digest: digest(blocks...)}, errors.Join(errs...)
}

func (c clientJob) readFirst(fsys afero.Fs) (report, error) {
	f, err := fsys.Open(c.item)
	if err != nil {
		return report{}, err
	}
	defer f.Close()
	b := make([]byte, 1)
	_, err = io.ReadFull(f, b)
	return report{Digest: digest(b)}, err
}

// readNamed reads the files in the list of names, one after the other.
func (c clientJob) readNamed(fsys afero.Fs) (report, error) {
	text, err := os.ReadFile(c.names)
	if err != nil {
		return report{}, err
	}
	var contents [][]byte
	for name := range strings.Lines(string(text)) {
		b, err := afero.ReadFile(fsys, path.Join(c.item, strings.TrimSpace(name)))
		if err != nil {
			return report{}, err
		}
		contents = append(contents, b)
	}
	return report{Digest: digest(contents...)}, nil
}
