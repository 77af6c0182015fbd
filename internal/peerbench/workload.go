package main

import (
	"fmt"
	"strings"
)

// task is what a tool has to do.
type task string

const (
	pull   task = "pull"   // copy the item from the server into an empty directory
	push   task = "push"   // copy the item into an empty directory of the server
	list   task = "list"   // name every file of the item, with its size
	reads  task = "reads"  // read random blocks of the item
	first  task = "first"  // read the first byte of the item
	cached task = "cached" // read every file of the item, which is local already
	edits  task = "edits"  // make the server's item equal to the local one, of which a part was edited
)

// workload is a task with its data.
type workload struct {
	name    string // as in the flag -workloads
	title   string
	task    task
	item    item
	charted bool
}

func (w workload) String() string { return w.name }

// item is a file or a tree that exists on one side at the beginning.
type item struct {
	name   string
	groups []group // one group of one file without directories: the item is that file
}

// group is a number of files of one size, spread evenly over directories.
type group struct {
	dirs, files int // in total; without directories the files are at the top
	size        int64
}

func (i item) isFile() bool {
	return len(i.groups) == 1 && i.groups[0].dirs == 0 && i.groups[0].files == 1
}

// bytes returns the size of all files.
func (i item) bytes() int64 {
	var sum int64
	for _, g := range i.groups {
		sum += int64(g.files) * g.size
	}
	return sum
}

// file is a file of an item. If the item itself is the file, the name is "".
type file struct {
	name string
	size int64
}

// list returns every file of the item, in the order of the groups.
func (i item) list() []file {
	if i.isFile() {
		return []file{{size: i.groups[0].size}}
	}
	var files []file
	for n, g := range i.groups {
		for k := range g.files {
			name := fmt.Sprintf("g%d-%05d.bin", n, k)
			if g.dirs > 0 {
				name = fmt.Sprintf("dir%d-%03d/%s", n, k%g.dirs, name)
			}
			files = append(files, file{name, g.size})
		}
	}
	return files
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	blockSize = 64 * kib // of a random read
)

// scale holds the sizes of all workloads.
type scale struct {
	big, huge     int64 // bytes of one file
	small         int   // files of 4 KiB
	large, medium int   // files of largeSize and of 20 KiB in the mixed tree
	largeSize     int64
	many          int // files of 1 KiB
	blocks        int // number of random reads
}

var (
	fullScale = scale{big: 256 * mib, huge: gib, small: 2000, large: 20, medium: 1000, largeSize: 8 * mib,
		many: 10_000, blocks: 200}
	quickScale = scale{big: 2 * mib, huge: 4 * mib, small: 8, large: 2, medium: 8, largeSize: mib,
		many: 40, blocks: 20}
)

// edited returns how many of n files are edited: 1 %, but at least one.
func edited(n int) int { return max(1, n/100) }

// workloads returns all workloads, in the order of the table.
func (s scale) workloads() []workload {
	var (
		big   = item{"big", []group{{0, 1, s.big}}}
		huge  = item{"huge", []group{{0, 1, s.huge}}}
		small = item{"small", []group{{max(1, s.small/100), s.small, 4 * kib}}}
		mixed = item{"mixed", []group{{0, s.large, s.largeSize}, {max(1, s.medium/100), s.medium, 20 * kib}}}
		many  = item{"many", []group{{max(1, s.many/100), s.many, kib}}}

		bigText   = sizeText(s.big)
		smallText = fmt.Sprintf("%s x 4 KiB", countText(s.small))
		mixedText = fmt.Sprintf("%d x %s + %s x 20 KiB", s.large, sizeText(s.largeSize), countText(s.medium))
	)
	return []workload{
		{"down", bigText + " down", pull, big, true},
		{"up", bigText + " up", push, big, true},
		{"small-down", smallText + " down", pull, small, true},
		{"small-up", smallText + " up", push, small, true},
		{"mixed-down", mixedText + " down", pull, mixed, true},
		{"mixed-up", mixedText + " up", push, mixed, true},
		{"walk", fmt.Sprintf("walk of %s files", countText(s.many)), list, many, true},
		{"reads", fmt.Sprintf("%d random reads of 64 KiB", s.blocks), reads, huge, true},
		{"first", "first byte of " + sizeText(s.huge), first, huge, false},
		{"cached", fmt.Sprintf("%s cached files read", countText(s.small)), cached, small, false},
		{"edits", fmt.Sprintf("push of %d edited files of %s", edited(s.many), countText(s.many)), edits, many, false},
	}
}

func sizeText(n int64) string {
	switch {
	case n >= gib:
		return fmt.Sprintf("%d GiB", n/gib)
	case n >= mib:
		return fmt.Sprintf("%d MiB", n/mib)
	default:
		return fmt.Sprintf("%d KiB", n/kib)
	}
}

func countText(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// pick returns the elements of all whose names are in a comma-separated list, in the order of all; "" stands for all.
// An unknown name is an error.
func pick[T any](all []T, nameOf func(T) string, names string) ([]T, error) {
	if names == "" {
		return all, nil
	}
	wanted := make(map[string]bool)
	for name := range strings.SplitSeq(names, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var picked []T
	var known []string
	for _, one := range all {
		name := nameOf(one)
		known = append(known, name)
		if wanted[name] {
			picked = append(picked, one)
			delete(wanted, name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("%q is none of %s", name, strings.Join(known, ", "))
	}
	return picked, nil
}
