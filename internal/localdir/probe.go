package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// oddName contains everything that disks change or refuse in names. Some disks take the names in oddSpellings for it.
const oddName = "A\u00c9:*?\"<>|\\\xff. "

var oddSpellings = []string{
	"a\u00c9:*?\"<>|\\\xff. ", "A\u00e9:*?\"<>|\\\xff. ", "AE\u0301:*?\"<>|\\\xff. ", "A\u00c9:*?\"<>|\\\xff",
}

// keepsNames reports whether d provably holds all names and keeps them apart, with as few files as possible. If it is
// false, probe finds out what d does.
func keepsNames(d backend) bool {
	dir := filepath.FromSlash(TmpDir)
	for _, name := range []string{oddName, "con"} {
		local, err := localize(name)
		if err != nil {
			return false
		}
		local = filepath.Join(dir, local)
		f, err := d.openFile(local, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return false
		}
		f.Close()
		defer func() { _ = d.remove(local) }()
	}
	listed, err := d.readDir(dir, true)
	if held := setOf(listed); err != nil || !held[oddName] || !held["con"] {
		return false
	}
	return !slices.ContainsFunc(oddSpellings, func(name string) bool {
		_, err := d.lstat(filepath.Join(dir, name))
		return !errors.Is(err, fs.ErrNotExist)
	})
}

// probes are names that an ordinary disk holds and keeps apart. Each kind of unusual disk fails on at least one of
// them. Of names that a disk may take for one, the first is the one that it may spell differently, so that this one is
// made.
var probes = []string{
	"A", "a", // case
	"\u00c9", "\u00e9", "e\u0301", // case beyond ASCII, and the two normal forms of a letter
	"dot.", "end ", // Windows removes the end
	"con", "a:b", `a\b`, `*?"<>|`, // reserved on Windows
	"\xff", // not UTF-8
}

// probeDir holds the probe files of the running probe.
const probeDir = TmpDir + "/names"

// probe makes files with these names, lists them and removes them. It returns the names that were listed unchanged, and
// whether one was listed with another spelling.
func probe(d backend, names ...string) (held map[string]bool, altered bool, err error) {
	dir := filepath.FromSlash(probeDir)
	if err := d.removeAll(dir); err != nil {
		return nil, false, err
	}
	if err := d.mkdir(dir, 0o700); err != nil {
		return nil, false, err
	}
	var made []string
	for _, name := range names {
		local, err := localize(name)
		if err != nil {
			continue
		}
		f, err := d.openFile(filepath.Join(dir, local), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			f.Close()
			made = append(made, name)
		case errors.Is(err, fs.ErrExist) || cannotHold(err) ||
			errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist):
		default:
			return nil, false, err
		}
	}
	listed, err := d.readDir(dir, true)
	if err != nil {
		return nil, false, err
	}
	spelled := setOf(listed)
	held = make(map[string]bool, len(made))
	for _, name := range made {
		held[name] = spelled[name]
		altered = altered || !spelled[name]
	}
	return held, altered, d.removeAll(dir)
}

// cannotHold reports whether err means that the disk refuses the name itself.
func cannotHold(err error) bool {
	return errors.Is(err, fs.ErrInvalid) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EILSEQ) ||
		isInvalidName(err)
}

// setOf returns the names of entries.
func setOf(infos []Info) map[string]bool {
	set := make(map[string]bool, len(infos))
	for _, info := range infos {
		set[info.Name] = true
	}
	return set
}
