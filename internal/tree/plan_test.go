package tree

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plain is a model of a file system: path -> entry. The root "." is not in it.
type plain map[string]entry

type entry struct {
	kind Kind
	id   string // of the content or target
}

func (p plain) kids(dir string) []string {
	var names []string
	for name := range p {
		if path.Dir(name) == dir {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (p plain) isDir(name string) bool { return name == "." || p[name].kind == Dir }

// move renames name and all below it.
func (p plain) move(from, to string) {
	for name, e := range maps.Clone(p) {
		if name == from || strings.HasPrefix(name, from+"/") {
			delete(p, name)
			p[to+strings.TrimPrefix(name, from)] = e
		}
	}
}

// world is a remote, a tree over it, and what a plain directory would hold after the same calls.
type world struct {
	remote, model plain
	tree          *Tree
	content       map[ID]string // of changed files, made links
	clock         int64
}

func newWorld(remote plain) *world {
	return &world{remote: remote, model: maps.Clone(remote), tree: New(), content: map[ID]string{}}
}

// node finds the node of a path that exists in the model, discovering it (and those above) where it is unknown.
func (w *world) node(name string) *Node {
	if name == "." {
		return w.tree.Root()
	}
	dir, base := Split(name)
	d := w.node(dir)
	if k := d.Kid(base); k != nil {
		return k
	}
	e := w.remote[Join(d.RemotePath(), base)]
	n := w.tree.Discover(d, base, e.kind, Meta{}, 0)
	n.SetTarget(e.id)
	return n
}

func (w *world) put(name, id string) {
	dir, base := Split(name)
	d := w.node(dir)
	if e, ok := w.model[name]; ok && e.kind == File {
		n := w.tree.Edit(w.node(name))
		n.content = Changed
		w.tree.Note(n, w.clock)
		w.tree.Touch(n)
		w.content[n.ID] = id
	} else {
		n := w.tree.Create(d, base, File, Meta{}, Absent, w.clock)
		n.content = Changed
		w.tree.Touch(n)
		w.content[n.ID] = id
	}
	w.model[name] = entry{File, id}
}

func (w *world) create(name string, kind Kind, id string) {
	dir, base := Split(name)
	n := w.tree.Create(w.node(dir), base, kind, Meta{}, Absent, w.clock)
	n.SetTarget(id)
	w.model[name] = entry{kind, id}
}

func (w *world) remove(name string) {
	for _, k := range w.model.kids(name) {
		w.remove(k)
	}
	w.tree.Unlink(w.node(name), w.clock)
	delete(w.model, name)
}

func (w *world) rename(from, to string) {
	n := w.node(from)
	dir, base := Split(to)
	d := w.node(dir)
	if _, ok := w.model[to]; ok {
		w.remove(to)
	}
	w.tree.Move(n, d, base, Absent, w.clock)
	w.model.move(from, to)
}

// execute runs one step on the remote, as strict as a server, and records its outcome.
func (w *world) execute(s Step) error {
	if !w.remote.isDir(path.Dir(s.Path)) {
		return fmt.Errorf("%v %s: no such directory", s.Op, s.Path)
	}
	at, taken := w.remote[s.Path]
	if s.Replaces != nil && s.Replaces.RemotePath() != s.Path {
		return fmt.Errorf("%v %s: replaces %s", s.Op, s.Path, s.Replaces.RemotePath())
	}
	switch s.Op {
	case Mkdir, Symlink:
		if taken {
			return fmt.Errorf("%v %s: exists", s.Op, s.Path)
		}
		w.remote[s.Path] = entry{s.Node.Kind, s.Node.Target()}
	case Put:
		if taken && at.kind != File {
			return fmt.Errorf("put %s: is a %v", s.Path, at.kind)
		}
		w.remote[s.Path] = entry{File, w.content[s.Node.ID]}
	case Rename:
		from, ok := w.remote[s.From]
		if !ok {
			return fmt.Errorf("rename %s: missing", s.From)
		}
		if taken && (at.kind != File || from.kind != File || s.Replaces == nil) {
			return fmt.Errorf("rename %s over %s", s.From, s.Path)
		}
		if strings.HasPrefix(s.Path+"/", s.From+"/") {
			return fmt.Errorf("rename %s into itself", s.From)
		}
		w.remote.move(s.From, s.Path)
	case Remove:
		if !taken || len(w.remote.kids(s.Path)) > 0 {
			return fmt.Errorf("remove %s: missing or not empty", s.Path)
		}
		delete(w.remote, s.Path)
	case SetAttr:
		if !taken {
			return fmt.Errorf("setattr %s: missing", s.Path)
		}
	}
	w.record(s)
	return nil
}

func (w *world) record(s Step) {
	switch s.Op {
	case Remove:
		w.tree.Erased(s.Node, w.clock)
	case SetAttr:
		s.Node.Diff.Attr = Attr{}
		w.tree.Touch(s.Node)
	default:
		if s.Replaces != nil {
			w.tree.Erased(s.Replaces, w.clock)
		}
		if s.Op == Put {
			s.Node.content = Remote
		}
		w.tree.Rebase(s.Node, s.To.Dir, s.To.Name)
	}
}

// push executes the plan in a random order that keeps the dependencies, at most limit steps of it.
func (w *world) push(t *rapid.T, limit int) error {
	steps := w.tree.Plan(parking)
	done := make([]bool, len(steps))
	late := func() bool {
		for i, s := range steps {
			if !done[i] && !s.Late {
				return false
			}
		}
		return true
	}
	for range min(limit, len(steps)) {
		var ready []int
		for i, s := range steps {
			waits := slices.ContainsFunc(s.Deps, func(d int) bool { return !done[d] })
			if !done[i] && !waits && (!s.Late || late()) {
				ready = append(ready, i)
			}
		}
		if len(ready) == 0 {
			return fmt.Errorf("no step is ready")
		}
		i := rapid.SampledFrom(ready).Draw(t, "step")
		if err := w.execute(steps[i]); err != nil {
			return fmt.Errorf("%w\nplan: %s", err, format(steps))
		}
		done[i] = true
	}
	return nil
}

func parking(n *Node) string { return fmt.Sprintf(".syncfs-%016x.park", uint64(n.ID)) }

func format(steps []Step) string {
	var b strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&b, "\n%d: %v %s %s deps %v", i, s.Op, s.From, s.Path, s.Deps)
	}
	return b.String()
}

// view is what the program sees: the nodes, and below directories with a base what the remote has.
func (w *world) view() plain {
	v := plain{}
	var walk func(n *Node, at string)
	walk = func(n *Node, at string) {
		n.Kids(func(k *Node) {
			e := entry{k.Kind, k.Target()}
			if k.Kind == File {
				if e.id = w.content[k.ID]; k.content == Remote {
					e.id = w.remote[k.RemotePath()].id
				}
			}
			v[Join(at, k.Name())] = e
			walk(k, Join(at, k.Name()))
		})
		remote := n.RemotePath()
		if n.Kind != Dir || remote == "" {
			return
		}
		for _, name := range w.remote.kids(remote) {
			base := path.Base(name)
			if _, hidden := n.Hidden(base); hidden || n.Kid(base) != nil {
				continue
			}
			for sub, e := range w.remote {
				if sub == name || strings.HasPrefix(sub, name+"/") {
					v[Join(at, base)+strings.TrimPrefix(sub, name)] = e
				}
			}
		}
	}
	walk(w.tree.Root(), ".")
	return v
}

// Few paths, so that calls meet.
var paths = []string{"a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/a/b", "a/b/a", "b/a/a", "b/a/b"}

// drawPath draws a path of up to three components.
func drawPath(t *rapid.T, label string) string {
	return rapid.SampledFrom(paths).Draw(t, label)
}

// drawRemote draws a remote of a few nested entries.
func drawRemote(t *rapid.T) plain {
	p := plain{}
	for i := range rapid.IntRange(5, 12).Draw(t, "entries") {
		name := drawPath(t, "entry")
		if _, ok := p[name]; ok || !p.isDir(path.Dir(name)) {
			continue
		}
		kind := rapid.SampledFrom([]Kind{Dir, Dir, File, Link}).Draw(t, "kind")
		e := entry{kind: kind}
		if kind != Dir {
			e.id = fmt.Sprint("r", i)
		}
		p[name] = e
	}
	return p
}

// step makes one random call that package os would accept; others change nothing.
func (w *world) step(t *rapid.T, i int) {
	w.clock++
	name := drawPath(t, "name")
	e, exists := w.model[name]
	parent := w.model.isDir(path.Dir(name))
	switch op := rapid.SampledFrom([]string{"put", "mkdir", "symlink", "remove", "rename", "rename"}).Draw(t, "op"); op {
	case "put":
		if parent && (!exists || e.kind == File) {
			w.put(name, fmt.Sprint("p", i))
		}
	case "mkdir":
		if parent && !exists {
			w.create(name, Dir, "")
		}
	case "symlink":
		if parent && !exists {
			w.create(name, Link, fmt.Sprint("l", i))
		}
	case "remove":
		if exists {
			w.remove(name)
		}
	case "rename":
		to := drawPath(t, "to")
		target, taken := w.model[to]
		if !exists || to == name || !w.model.isDir(path.Dir(to)) || strings.HasPrefix(to, name+"/") ||
			taken && (target.kind == Dir || e.kind == Dir) {
			return
		}
		w.rename(name, to)
	}
}

// failedCall makes a call and takes it back, before or after it was recorded.
func (w *world) failedCall(t *rapid.T, i int, log *[][]byte) {
	model, content := maps.Clone(w.model), maps.Clone(w.content)
	w.step(t, i)
	recorded := rapid.Bool().Draw(t, "recorded")
	if recorded {
		if rec := w.tree.Take(nil); rec != nil {
			*log = append(*log, slices.Clone(rec))
		}
	}
	w.tree.Rollback(recorded)
	if rec := w.tree.Take(nil); rec != nil {
		*log = append(*log, slices.Clone(rec))
	}
	w.tree.Commit()
	w.model, w.content = model, content
}

// replay rebuilds the tree from its log, as a restart does.
func (w *world) replay(t require.TestingT, log [][]byte) {
	r := Replay()
	for _, rec := range log {
		require.NoError(t, r.Apply(rec))
	}
	var lost int
	w.tree, _, lost = r.Finish()
	require.Zero(t, lost)
}

// Random histories of calls, pushes that end early, restarts: the view is always what a plain directory would be,
// every plan can be executed in any order its dependencies allow, and a whole push makes the remote equal.
func TestPlanMakesTheRemoteEqualToTheView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(drawRemote(t))
		var log [][]byte
		save := func() {
			if rec := w.tree.Take(nil); rec != nil {
				log = append(log, slices.Clone(rec))
			}
			w.tree.Commit()
		}
		for i := range rapid.IntRange(15, 40).Draw(t, "calls") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				require.NoError(t, w.push(t, rapid.IntRange(0, 6).Draw(t, "limit")))
				save()
			case 1:
				w.replay(t, log)
				w.tree.Commit()
			case 2:
				log = nil
				w.tree.Snapshot(func(rec []byte) bool { log = append(log, slices.Clone(rec)); return true })
			case 3:
				w.failedCall(t, i, &log)
			default:
				w.step(t, i)
				save()
			}
			require.Equal(t, w.model, w.view(), "the view")
		}
		require.NoError(t, w.push(t, 1000))
		require.Equal(t, w.model, w.remote, "the remote after a push")
		require.Zero(t, w.tree.PendingLen(), "what is left")
		require.Equal(t, w.model, w.view(), "the view after a push")
	})
}
