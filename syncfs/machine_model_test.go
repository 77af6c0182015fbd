package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
)

// model is what a program sees: a map of paths, on which the same calls are made as on the Fs. It also knows which
// name of the remote each of them is, and so what another client's change of that name has to do to it. It is a value:
// a copy is made with clone.
type model struct {
	view map[string]entry
	old  bool              // modes of directories may be shown as they were: nothing asks about them
	gone map[string]string // what was removed here, by name on the remote, with its text; directories end with a slash
}

// entry is what one path is.
type entry struct {
	typ   fs.FileMode // 0 for a file, fs.ModeDir, fs.ModeSymlink
	perm  fs.FileMode // not of a link
	text  string      // of a file; the target of a link
	mtime int64       // seconds, if Chtimes set them; 0: any

	origin  string // where the remote has it; "": nowhere
	base    string // the text it has there, as far as this side knows
	changed bool   // text or attributes are not those of the remote
	own     bool   // the text was written here, and not pushed since
	stale   bool   // the text is an old one, of a copy that nothing has to ask about
	copied  string // the text of the copy that is here, if there is one, and it is not changed
	open    bool   // for writing
	partly  bool   // a call that failed, or the end of a process, may have left a part: then it is not pushed
	lasting string // the names, a line each, of which one has to have the text after a loss of power; "" if none has to
}

func (e entry) String() string {
	switch e.typ {
	case fs.ModeDir:
		return fmt.Sprintf("directory %v", e.perm)
	case fs.ModeSymlink:
		return "link to " + e.text
	}
	return fmt.Sprintf("file %v %d bytes %s", e.perm, len(e.text), label(e.text))
}

// sees says whether what is shown is what is expected.
func (e entry) sees(shown entry) bool {
	return e.typ == shown.typ && e.perm == shown.perm && e.text == shown.text && (e.mtime == 0 || e.mtime == shown.mtime)
}

func newModel() *model { return &model{view: map[string]entry{}, gone: map[string]string{}} }

func (m *model) clone() *model {
	return &model{view: maps.Clone(m.view), gone: maps.Clone(m.gone), old: m.old}
}

// settled is a model of what the remote and the view both are.
func settled(tree map[string]entry) *model {
	m := newModel()
	for name, e := range tree {
		e.origin, e.base, e.mtime = name, e.text, 0
		m.view[name] = e
	}
	return m
}

func (m *model) names() []string { return slices.Sorted(maps.Keys(m.view)) }

func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

func within(name, dir string) bool {
	return dir == "" || name == dir || strings.HasPrefix(name, dir+"/")
}

// origin is where the remote has, or would have, what is at a path whose directory it has.
func (m *model) place(name string) (string, bool) {
	dir := parent(name)
	if dir == "" {
		return name, true
	}
	up := m.view[dir]
	return path.Join(up.origin, path.Base(name)), up.origin != ""
}

// touched says whether there is anything to push about a path itself.
func (m *model) touched(name string) bool {
	e := m.view[name]
	place, ok := m.place(name)
	return e.origin == "" || e.changed || !ok || place != e.origin
}

// way is the error of a path whose directory is not there.
func (m *model) way(name string) error {
	for _, dir := range prefixes(name) {
		if dir == name {
			break
		}
		switch e, ok := m.view[dir]; {
		case !ok, e.typ == fs.ModeSymlink: // which leads nowhere
			return fs.ErrNotExist
		case e.typ != fs.ModeDir:
			return syscall.ENOTDIR
		}
	}
	return nil
}

// find is what is at a path. Links are not followed: those there are lead nowhere.
func (m *model) find(name string) (entry, error) {
	err := m.way(name)
	e, ok := m.view[name]
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return e, err
}

// make puts something new at a path.
func (m *model) make(name string, e entry) error {
	_, err := m.find(name)
	if err == nil {
		return fs.ErrExist
	}
	if m.way(name) != nil {
		return err
	}
	m.view[name] = e
	return nil
}

func (m *model) mkdir(name string, perm fs.FileMode) error {
	return m.make(name, entry{typ: fs.ModeDir, perm: perm})
}

func (m *model) mkdirAll(name string, perm fs.FileMode) error {
	for _, dir := range prefixes(name) {
		switch e, ok := m.view[dir]; {
		case !ok:
			m.view[dir] = entry{typ: fs.ModeDir, perm: perm}
		case e.typ == fs.ModeSymlink:
			return fs.ErrExist
		case e.typ != fs.ModeDir:
			return syscall.ENOTDIR
		}
	}
	return nil
}

func (m *model) symlink(target, name string) error {
	return m.make(name, entry{typ: fs.ModeSymlink, text: target})
}

// leave takes one path out of the view.
func (m *model) leave(name string) {
	if e := m.view[name]; e.origin != "" && e.typ == fs.ModeDir {
		m.gone[e.origin+"/"] = ""
	} else if e.origin != "" {
		m.gone[e.origin] = e.base
	}
	delete(m.view, name)
}

func (m *model) below(dir string) (names []string) {
	for name := range m.view {
		if within(name, dir) && name != dir {
			names = append(names, name)
		}
	}
	return names
}

func (m *model) remove(name string) error {
	_, err := m.find(name)
	switch {
	case err != nil:
		return err
	case len(m.below(name)) > 0:
		return syscall.ENOTEMPTY
	}
	m.leave(name)
	return nil
}

func (m *model) removeAll(name string) error {
	if _, err := m.find(name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	for _, n := range m.below(name) {
		m.leave(n)
	}
	m.leave(name)
	return nil
}

func (m *model) rename(from, to string) error {
	if err := cmpOr(m.way(from), m.way(to)); err != nil {
		return err
	}
	old, err := m.find(from)
	if err != nil {
		return err
	}
	replaced, exists := m.view[to]
	switch {
	case exists && replaced.typ == fs.ModeDir:
		return fs.ErrExist
	case from == to:
		return nil
	case exists && old.typ == fs.ModeDir:
		return syscall.ENOTDIR
	case within(to, from):
		return syscall.EINVAL
	}
	if exists {
		m.leave(to)
	}
	for _, n := range append(m.below(from), from) {
		e := m.view[n]
		delete(m.view, n)
		for _, name := range strings.Fields(e.lasting) {
			if within(name, from) {
				e.lasting += "\n" + to + name[len(from):]
			}
		}
		m.view[to+n[len(from):]] = e
	}
	return nil
}

func cmpOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// follow is find for what follows a link.
func (m *model) target(name string) (entry, error) {
	e, err := m.find(name)
	if err == nil && e.typ == fs.ModeSymlink {
		err = fs.ErrNotExist
	}
	return e, err
}

func (m *model) chmod(name string, perm fs.FileMode) error {
	e, err := m.target(name)
	if err == nil {
		e.perm, e.changed = perm, true
		m.view[name] = e
	}
	return err
}

func (m *model) chtimes(name string, mtime int64) error {
	e, err := m.target(name)
	if err == nil {
		e.changed = true
		if e.typ == 0 { // that of a directory changes with what is done in it
			e.mtime = mtime
		}
		m.view[name] = e
	}
	return err
}

// written gives a file another text.
func (m *model) written(name, text string) {
	e, ok := m.view[name]
	if !ok {
		e.perm = 0o644
	}
	e.text, e.own, e.changed, e.stale, e.copied, e.mtime, e.lasting = text, true, true, false, "", 0, ""
	m.view[name] = e
}

// opened takes the remote's version of a file that is about to be changed as its base, unless a copy is here, and is to be
// emptied.
func (m *model) opened(name string, remote map[string]entry, w int) {
	e, ok := m.view[name]
	if !ok || m.touched(name) {
		return
	}
	now, there := remote[e.origin]
	switch {
	case there && w == create && e.copied != "":
		e.base = e.copied
	case there:
		e.text, e.base, e.perm = now.text, now.text, now.perm
	default:
		e.origin, e.base = "", ""
	}
	e.stale = false
	m.view[name] = e
}

// diff is how a tree that is shown differs from the model, apart from one name.
func (m *model) diff(shown map[string]entry, except string) string {
	var b strings.Builder
	for _, name := range union(m.view, shown) {
		want, wanted := m.view[name]
		got, there := shown[name]
		switch {
		case name == except:
		case !there:
			fmt.Fprintf(&b, "- %s: %v\n", name, want)
		case !wanted:
			fmt.Fprintf(&b, "+ %s: %v\n", name, got)
		case !want.sees(got) && !(m.old && want.typ == fs.ModeDir && got.typ == fs.ModeDir):
			fmt.Fprintf(&b, "! %s: %v, want %v\n", name, got, want)
		}
	}
	return b.String()
}

// at is the path of what the remote has under a name.
func (m *model) at(origin string) (string, bool) {
	for name, e := range m.view {
		if e.origin == origin {
			return name, true
		}
	}
	return "", false
}

// follow lays what is to be pushed over what the remote has now. A copy that nothing has to ask about is what it was
// or what is there, as is shown; with nothing shown it is what is there.
func (m *model) follow(remote, shown map[string]entry) {
	for _, name := range m.names() {
		e, ok := m.view[name]
		if !ok || m.touched(name) {
			continue
		}
		now, there := remote[e.origin]
		if there && now.typ == e.typ && now.text == e.base && now.perm == e.perm && !e.stale {
			continue
		}
		now.origin, now.base, now.copied, now.mtime = e.origin, now.text, e.copied, 0
		saw, sees := shown[name]
		switch {
		case shown != nil && sees && (!there || !now.sees(saw)):
			e.stale = true
			m.view[name] = e
		case there && now.typ == e.typ:
			m.view[name] = now
		default:
			for _, n := range append(m.below(name), name) {
				delete(m.view, n)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(remote)) {
		_, hidden := m.gone[name]
		_, hiddenDir := m.gone[name+"/"]
		if _, known := m.at(name); known || hidden || hiddenDir {
			continue
		}
		dir := ""
		if up := parent(name); up != "" {
			at, ok := m.at(up)
			if !ok {
				continue
			}
			dir = at
		}
		at := path.Join(dir, path.Base(name))
		if _, taken := m.view[at]; !taken {
			e := remote[name]
			e.origin, e.base, e.mtime = name, e.text, 0
			m.view[at] = e
		}
	}
}

// conflicts are the names about which a push has to report one: of each change that cannot be made because of what
// the remote has now, that in the view and that on the remote.
func (m *model) conflicts(remote map[string]entry) (names []string) {
	clash := func(more ...string) { names = append(names, more...) }
	for name, e := range m.view {
		if !m.touched(name) {
			continue
		}
		if e.origin != "" {
			now, there := remote[e.origin]
			if !there || now.typ != e.typ || e.typ == 0 && now.text != e.base {
				clash(name, e.origin)
			}
		}
		place, ok := m.place(name)
		if !ok || place == e.origin {
			continue
		}
		if _, moved := m.at(place); moved {
			continue
		}
		now, there := remote[place]
		if base, replaced := m.gone[place]; replaced {
			if there && now.text != base || !there && e.typ == 0 {
				clash(name, place)
			}
		} else if _, replaced := m.gone[place+"/"]; there && !replaced && !(now.typ == fs.ModeDir && e.typ == fs.ModeDir) {
			clash(name, place)
		}
	}
	for name, base := range m.gone {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			for below := range remote {
				_, gone := m.gone[below]
				_, goneDir := m.gone[below+"/"]
				if _, moved := m.at(below); parent(below) == dir && !gone && !goneDir && !moved {
					clash(dir)
				}
			}
		} else if now, there := remote[name]; there && now.text != base {
			clash(name)
		}
	}
	return names
}

func union(a, b map[string]entry) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}
