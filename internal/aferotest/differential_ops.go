package aferotest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// There are few names, and half of those drawn exist, so that the operations interact.
var (
	genElement = rapid.SampledFrom([]string{"a", "b", "c"})
	genName    = rapid.Custom(func(t *rapid.T) string {
		depth := rapid.SampledFrom([]int{1, 1, 1, 2, 2, 3}).Draw(t, "depth")
		return strings.Join(rapid.SliceOfN(genElement, depth, depth).Draw(t, "elements"), "/")
	})
	genTarget = rapid.SampledFrom([]string{"a", "b", "c", "a/b", "../a", "../b/c", "./c", "/a", "/b/a", "/c/../b", ".", ".."})
	genMode   = rapid.SampledFrom([]fs.FileMode{0o700, 0o750, 0o755, 0o777})
	genTime   = rapid.Map(rapid.IntRange(0, 1000), func(s int) time.Time { return past.Add(time.Duration(s) * time.Second) })
	genData   = rapid.Custom(func(t *rapid.T) []byte {
		unit := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 1, 9).Draw(t, "unit")
		times := rapid.SampledFrom([]int{1, 1, 1, 1, 700}).Draw(t, "times")
		return []byte(strings.Repeat(string(unit), times))
	})
)

// actions returns the operations of a sequence. Those with a numbered copy are more likely.
func (p *pair) actions() map[string]func(*rapid.T) {
	a := map[string]func(*rapid.T){
		"open":      p.actOpen,
		"open2":     p.actOpen,
		"open3":     p.actOpen,
		"files":     p.actFiles,
		"files2":    p.actFiles,
		"files3":    p.actFiles,
		"close":     p.actClose,
		"mkdir":     p.actMkdir,
		"mkdirall":  p.actMkdirAll,
		"remove":    p.actRemove,
		"removeall": p.actRemoveAll,
		"rename":    p.actRename,
		"rename2":   p.actRename,
		"replace":   p.actReplace,
		"stat":      p.actStat,
		"list":      p.actList,
		"readfile":  p.actReadFile,
		"writefile": p.actWriteFile,
		"tree":      func(*rapid.T) { p.compareTrees() },
	}
	if !p.incapable(Chmod) {
		a["chmod"] = p.actChmod
	}
	if !p.incapable(Chtimes) {
		a["chtimes"] = p.actChtimes
	}
	if !p.incapable(Links) {
		a["symlink"] = p.actSymlink
		a["readlink"] = p.actReadlink
		a["lstat"] = p.actLstat
	}
	if p.Sometimes != nil {
		a["sometimes"] = func(rt *rapid.T) {
			p.closeAll()
			p.sometimes(rt)
		}
	}
	return a
}

// name draws a name, sometimes with another spelling.
func (p *pair) name(rt *rapid.T, label string) string {
	name := genName.Draw(rt, label)
	if there := p.names(); len(there) > 0 && rapid.Bool().Draw(rt, label+" is there") {
		name = rapid.SampledFrom(there).Draw(rt, label)
	}
	return rapid.SampledFrom([]string{"", "", "", "/", "./"}).Draw(rt, "prefix") + name
}

// names returns the existing names, without those behind symbolic links.
func (p *pair) names() []string {
	var names []string
	err := afero.Walk(p.oracle, "/", func(name string, _ fs.FileInfo, err error) error {
		if err == nil && name != "/" {
			names = append(names, name[1:])
		}
		return err
	})
	if err != nil {
		p.rt.Fatalf("the tree of package os: %v", err)
	}
	return names
}

func (p *pair) actMkdir(rt *rapid.T) {
	name, mode := p.name(rt, "name"), genMode.Draw(rt, "mode")&^0o022
	p.do(fmt.Sprintf("mkdir %q", name), func(fsys afero.Fs) (any, error) { return nil, fsys.Mkdir(name, mode) })
}

func (p *pair) actMkdirAll(rt *rapid.T) {
	name, mode := p.name(rt, "name"), genMode.Draw(rt, "mode")&^0o022
	p.do(fmt.Sprintf("mkdirall %q", name), func(fsys afero.Fs) (any, error) { return nil, fsys.MkdirAll(name, mode) })
}

func (p *pair) actRemove(rt *rapid.T) {
	p.settleRemoved()
	name := p.name(rt, "name")
	p.do(fmt.Sprintf("remove %q", name), func(fsys afero.Fs) (any, error) { return nil, fsys.Remove(name) })
}

func (p *pair) actRemoveAll(rt *rapid.T) {
	p.settleRemoved()
	name := p.name(rt, "name")
	if _, err := lstat(p.oracle, name); classOf(err) == notDir || classOf(err) == loop {
		rt.Skip("the platforms do not agree on it")
	}
	p.do(fmt.Sprintf("removeall %q", name), func(fsys afero.Fs) (any, error) { return nil, fsys.RemoveAll(name) })
}

func (p *pair) actRename(rt *rapid.T) {
	from, to := p.name(rt, "from"), p.name(rt, "to")
	p.rename(rt, from, to)
}

func (p *pair) rename(rt *rapid.T, from, to string) {
	if p.incapable(OpenRenamed) {
		p.closeAll()
	}
	p.settleRemoved() // a rename can remove the file that it replaces
	if _, err := lstat(p.oracle, to); err == nil && p.incapable(AtomicReplace) {
		rt.Skip("the subject can't replace")
	}
	p.do(fmt.Sprintf("rename %q to %q", from, to), func(fsys afero.Fs) (any, error) {
		return nil, fsys.Rename(from, to)
	})
}

// actReplace replaces a file like a careful program.
func (p *pair) actReplace(rt *rapid.T) {
	name, data := p.name(rt, "name"), genData.Draw(rt, "data")
	temp := path.Join(path.Dir(name), "temp")
	p.writeFile(temp, data)
	p.rename(rt, temp, name)
}

// settleReaders is called before content changes.
func (p *pair) settleReaders() {
	if p.incapable(LiveHandles) {
		p.closeAll()
	}
}

func (p *pair) settleRemoved() {
	if p.incapable(OpenRemoved) {
		p.closeAll()
	}
}

func (p *pair) actStat(rt *rapid.T) {
	name := p.name(rt, "name")
	p.do(fmt.Sprintf("stat %q", name), func(fsys afero.Fs) (any, error) { return p.info(fsys.Stat(name)) })
}

func (p *pair) actLstat(rt *rapid.T) {
	name := p.name(rt, "name")
	p.do(fmt.Sprintf("lstat %q", name), func(fsys afero.Fs) (any, error) { return p.info(lstat(fsys, name)) })
}

func (p *pair) info(fi fs.FileInfo, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return p.describe(fi), nil
}

func (p *pair) actList(rt *rapid.T) {
	name := p.name(rt, "name")
	if rapid.Bool().Draw(rt, "root") {
		name = "/"
	}
	p.do(fmt.Sprintf("list %q", name), func(fsys afero.Fs) (any, error) {
		infos, err := afero.ReadDir(fsys, name)
		var list []string
		for _, fi := range infos {
			list = append(list, p.describe(fi))
		}
		return list, err
	})
}

func (p *pair) actReadFile(rt *rapid.T) {
	name := p.name(rt, "name")
	p.do(fmt.Sprintf("read %q", name), func(fsys afero.Fs) (any, error) {
		b, err := afero.ReadFile(fsys, name)
		return string(b), err
	})
}

func (p *pair) actWriteFile(rt *rapid.T) {
	p.writeFile(p.name(rt, "name"), genData.Draw(rt, "data"))
}

func (p *pair) writeFile(name string, data []byte) {
	p.settleReaders()
	p.do(fmt.Sprintf("write %q", name), func(fsys afero.Fs) (any, error) {
		return nil, afero.WriteFile(fsys, name, data, 0o600)
	})
}

func (p *pair) actChmod(rt *rapid.T) {
	name, mode := p.name(rt, "name"), genMode.Draw(rt, "mode")
	p.do(fmt.Sprintf("chmod %q %v", name, mode), func(fsys afero.Fs) (any, error) { return nil, fsys.Chmod(name, mode) })
}

func (p *pair) actChtimes(rt *rapid.T) {
	name, at := p.name(rt, "name"), genTime.Draw(rt, "time")
	p.do(fmt.Sprintf("chtimes %q", name), func(fsys afero.Fs) (any, error) { return nil, fsys.Chtimes(name, at, at) })
}

func (p *pair) actSymlink(rt *rapid.T) {
	target, name := genTarget.Draw(rt, "target"), p.name(rt, "name")
	p.do(fmt.Sprintf("link %q to %q", name, target), func(fsys afero.Fs) (any, error) {
		return nil, symlink(fsys, target, name)
	})
}

func (p *pair) actReadlink(rt *rapid.T) {
	name := p.name(rt, "name")
	p.do(fmt.Sprintf("readlink %q", name), func(fsys afero.Fs) (any, error) { return readlink(fsys, name) })
}
