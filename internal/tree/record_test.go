package tree

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// known is all that a tree has to remember of a node.
type known struct {
	Kind                 Kind
	Content              Content
	Known                Answer
	Temp                 bool
	Parent, Base         ID
	Name                 string
	BaseName             string
	Meta                 Meta
	Target               string
	Checked              int64
	Copy                 Copy
	Prev                 Copy
	Version, PrevVersion Meta
	Installing           string
	Diff                 Diff
	Intent               Intent
	Part                 Part
	BaseHash             Hash
}

func id(n *Node) ID {
	if n == nil {
		return 0
	}
	return n.ID
}

// remembered describes the nodes that the log has.
func remembered(t *Tree) map[ID]known {
	return described(t, func(n *Node) bool { return n.recorded })
}

func described(t *Tree, which func(*Node) bool) map[ID]known {
	all := map[ID]known{}
	t.Nodes(func(n *Node) {
		if !which(n) {
			return
		}
		k := known{Kind: n.Kind, Content: n.content, Known: n.Known, Temp: n.Temp, Parent: id(n.parent), Base: id(n.base),
			Name: n.name, BaseName: n.baseName(), Meta: n.Meta, Target: n.Target(), Checked: n.Checked}
		if n.copied != nil {
			k.Copy = *n.copied
			k.Copy.set = 0 // not recorded
			k.Copy.passing = nil
			k.Version, k.Installing = n.copied.Version(), n.copied.Installing()
			if prev := n.copied.Prev(); prev != nil {
				k.Prev, k.PrevVersion = *prev, prev.Version()
				k.Prev.passing = nil
			}
		}
		if n.Diff != nil {
			k.Diff = *n.Diff
			k.Diff.Intent, k.Diff.Part, k.Diff.Base = nil, nil, nil
			if n.Diff.Base != nil {
				k.BaseHash = *n.Diff.Base
			}
			if n.Diff.Intent != nil {
				k.Intent = *n.Diff.Intent
			}
			if n.Diff.Part != nil {
				k.Part = *n.Diff.Part
			}
		}
		all[n.ID] = k
	})
	return all
}

func drawMeta(t *rapid.T) Meta {
	mode := fs.FileMode(rapid.Uint32().Draw(t, "mode"))
	return Meta{Mode: mode &^ (fs.ModeDir | fs.ModeSymlink), Size: rapid.Int64Min(0).Draw(t, "size"),
		MTime: rapid.Int64().Draw(t, "mtime")}
}

func drawStamp(t *rapid.T) Stamp {
	return Stamp{Size: rapid.Int64Min(0).Draw(t, "size"), MTime: rapid.Int64().Draw(t, "mtime"),
		CTime: rapid.Int64().Draw(t, "ctime"), Ino: rapid.Uint64().Draw(t, "ino")}
}

func drawHash(t *rapid.T) (h Hash) {
	copy(h[:], rapid.SliceOfN(rapid.Byte(), len(h), len(h)).Draw(t, "hash"))
	return h
}

func drawCopy(t *rapid.T) *Copy {
	c := &Copy{Stamp: drawStamp(t), Hash: drawHash(t), Fetched: rapid.Int64().Draw(t, "fetched"),
		Unsure: rapid.Bool().Draw(t, "unsure"), Stale: rapid.Bool().Draw(t, "stale"),
		Added:  rapid.Bool().Draw(t, "added"),
		Pinned: rapid.Bool().Draw(t, "pinned"), AsIs: rapid.Bool().Draw(t, "as is")}
	c.pass(func(p *passing) {
		p.installing = rapid.SampledFrom([]string{"", "temporary"}).Draw(t, "installing")
		if c.Stale {
			p.version = drawMeta(t)
		}
		if rapid.Bool().Draw(t, "prev") {
			prev := Copy{Stamp: drawStamp(t), Hash: drawHash(t), Fetched: rapid.Int64().Draw(t, "fetched")}.Of(drawMeta(t))
			p.prev = &prev
		}
	})
	return c
}

func drawRemotePath(t *rapid.T, what string) string {
	return rapid.SampledFrom([]string{"a", "a/b", "..a/b../...", "\xff/\\"}).Draw(t, what)
}

func drawIntent(t *rapid.T) *Intent {
	i := &Intent{Kind: rapid.SampledFrom([]IntentKind{Publish, Move, Erase, Make, Reset, Park, Deliver}).Draw(t, "kind"),
		From: drawRemotePath(t, "from"), To: drawRemotePath(t, "to"), Aside: rapid.SampledFrom([]string{"", "a"}).Draw(t, "aside"),
		Dir: ID(rapid.Uint64().Draw(t, "dir")), Meta: drawMeta(t), Hash: drawHash(t), Stamp: drawStamp(t)}
	if i.Kind == Deliver {
		i.From, i.Aside, i.Beginnings = "", "", rapid.String().Draw(t, "beginnings")
	}
	if i.Kind == Reset {
		i.Attr = Attr{Set: AttrMode | AttrTimes, Mode: 0o640, UID: -1, ATime: 1, MTime: rapid.Int64().Draw(t, "mtime")}
	}
	return i
}

// guard records or forgets a request that may still be carried out.
func guard(t *rapid.T, tree *Tree) {
	if all := tree.Guards(); len(all) > 0 && rapid.Bool().Draw(t, "forget") {
		tree.Unguard(all[0].ID)
		return
	}
	tree.Guard(Guard{Intent: *drawIntent(t), Kind: File, Target: rapid.String().Draw(t, "target"),
		Since: rapid.Int64().Draw(t, "since")})
}

// scribble writes a random state into a node.
func scribble(t *rapid.T, tree *Tree, n *Node) {
	tree.Edit(n)
	n.Known = rapid.SampledFrom([]Answer{Unknown, Absent, Exists}).Draw(t, "known")
	n.Meta, n.Checked = drawMeta(t), rapid.Int64().Draw(t, "checked")
	n.SetTarget(rapid.String().Draw(t, "target"))
	if n.Kind == File {
		tree.alter(n, func() {
			n.content = rapid.SampledFrom([]Content{Remote, Owned, Changed, Busy, Interrupted, Edited}).Draw(t, "content")
			n.copied = nil
			if n.content != Remote || rapid.Bool().Draw(t, "copy") {
				n.copied = drawCopy(t)
			}
		})
	}
	if rapid.Bool().Draw(t, "diff") {
		d := tree.Note(n, rapid.Int64().Draw(t, "queued"))
		d.Attempts, d.Err = rapid.IntRange(0, math.MaxInt).Draw(t, "attempts"), rapid.String().Draw(t, "err")
		d.ErrClass = rapid.Uint8().Draw(t, "class")
		d.Dest = rapid.SampledFrom([]Answer{Unknown, Absent, Exists}).Draw(t, "dest")
		d.Written = rapid.Int64().Draw(t, "written")
		d.Explicit = rapid.Bool().Draw(t, "explicit")
		d.Attr = Attr{}
		if set := AttrMask(rapid.IntRange(0, 7).Draw(t, "set")); set != 0 {
			d.Attr = Attr{Set: set, Mode: fs.FileMode(rapid.Uint32().Draw(t, "mode")) &^ fs.ModeType, UID: rapid.Int().Draw(t, "uid"),
				GID: rapid.Int().Draw(t, "gid"), ATime: rapid.Int64().Draw(t, "atime"), MTime: rapid.Int64().Draw(t, "mtime")}
		}
		if rapid.Bool().Draw(t, "intent") {
			d.Intent = drawIntent(t)
		}
		if rapid.Bool().Draw(t, "base") {
			h := drawHash(t)
			d.Base = &h
		}
		if rapid.Bool().Draw(t, "part") {
			d.Part = &Part{Temp: ID(rapid.Uint64().Draw(t, "temp")), Stamp: drawStamp(t),
				Sent: rapid.Int64Min(0).Draw(t, "sent"), Hash: drawHash(t)}
		}
		if rapid.Bool().Draw(t, "home") {
			d.Home = &Home{Dir: ID(rapid.Uint64().Draw(t, "home dir")), Name: rapid.SampledFrom([]string{"a", "..b"}).Draw(t, "home name")}
		}
	}
	tree.Touch(n)
}

// one draws a node.
func one(t *rapid.T, nodes []*Node) *Node {
	return nodes[rapid.IntRange(0, len(nodes)-1).Draw(t, "node")]
}

// grow makes a random tree in several transactions, and returns it with its log.
func grow(t *rapid.T) (*Tree, [][]byte) {
	tree := New()
	dirs := []*Node{tree.Root()}
	var all []*Node
	var log [][]byte
	for i := range rapid.IntRange(1, 12).Draw(t, "nodes") {
		dir, name := one(t, dirs), fmt.Sprint("n", i)
		kind := rapid.SampledFrom([]Kind{File, Dir, Link}).Draw(t, "kind")
		var n *Node
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			n = tree.Create(dir, name, kind, drawMeta(t), Absent, 1)
		case 1:
			if !dir.HasBase() {
				continue
			}
			n = tree.Discover(dir, name, kind, drawMeta(t), 1)
		case 2:
			if !dir.HasBase() {
				continue
			}
			n = tree.Discover(dir, name, kind, drawMeta(t), 1)
			tree.Move(n, one(t, dirs), name+"moved", Unknown, 2)
		}
		if kind == Dir {
			dirs = append(dirs, n)
		}
		all = append(all, n)
		if rapid.Bool().Draw(t, "scribble") {
			scribble(t, tree, one(t, all))
		}
		if rapid.Bool().Draw(t, "guard") {
			guard(t, tree)
		}
		if rapid.Bool().Draw(t, "take") {
			if rec := tree.Take([]Action{{Kind: RenameLocal, From: "a", To: "b", Ino: 7}}); rec != nil {
				log = append(log, slices.Clone(rec))
			}
			tree.Commit()
		}
	}
	if rec := tree.Take(nil); rec != nil {
		log = append(log, slices.Clone(rec))
	}
	tree.Commit()
	return tree, log
}

func replayed(t require.TestingT, log [][]byte) *Tree {
	r := Replay()
	for _, rec := range log {
		require.NoError(t, r.Apply(rec))
	}
	tree, _, lost := r.Finish()
	require.Zero(t, lost)
	return tree
}

func snapshot(tree *Tree) (log [][]byte) {
	tree.Snapshot(func(rec []byte) bool { log = append(log, slices.Clone(rec)); return true })
	return log
}

func TestEveryStateSurvivesARestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, log := grow(t)
		want := remembered(tree)
		require.Equal(t, want, remembered(replayed(t, log)), "log")
		again := replayed(t, snapshot(tree))
		require.Equal(t, want, remembered(again), "snapshot")
		require.Equal(t, tree.Guards(), replayed(t, log).Guards(), "log")
		require.Equal(t, tree.Guards(), again.Guards(), "snapshot")
		require.Equal(t, tree.lastID, again.lastID)
		require.Equal(t, tree.seq, again.seq)
		require.Equal(t, tree.PendingLen(), again.PendingLen())
	})
}

// A record that is cut or has something appended is an error, and nothing of it is applied.
func TestPartOfARecordIsAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, log := grow(t)
		if len(log) == 0 {
			return
		}
		last := log[len(log)-1]
		r := Replay()
		for _, rec := range log[:len(log)-1] {
			require.NoError(t, r.Apply(rec))
		}
		for n := range last {
			require.Error(t, r.Apply(last[:n]), "%d of %d bytes", n, len(last))
		}
		require.Error(t, r.Apply(append(slices.Clone(last), 0)))
		got, _, lost := r.Finish()
		require.Zero(t, lost)
		require.Equal(t, remembered(replayed(t, log[:len(log)-1])), remembered(got))
	})
}

func TestActionsThatAreNotDone(t *testing.T) {
	t.Parallel()
	actions := []Action{{Kind: RenameLocal, From: "a", To: "b", Ino: 1 << 63}, {Kind: MkdirLocal, To: "c"}}
	r := Replay()
	require.Error(t, r.Apply(EncodeDone(1)), "there are none")
	require.NoError(t, r.Apply(New().Take(actions)))
	_, undone, _ := r.Finish()
	require.Equal(t, actions, undone)
	require.NoError(t, r.Apply(EncodeDone(1)))
	for _, n := range []int{3, -1, math.MaxInt} {
		require.Error(t, r.Apply(EncodeDone(n)), "%d", n)
	}
	_, undone, _ = r.Finish()
	require.Equal(t, actions[1:], undone)
	require.NoError(t, r.Apply(EncodeDone(2)))
	_, undone, _ = r.Finish()
	require.Empty(t, undone)
}

// States that cannot have been written are left out and counted: every node that is left has a place.
func TestImpossiblePlacesAreLeftOut(t *testing.T) {
	t.Parallel()
	node := func(id ID, kind Kind, parent, base *Node, name string) *Node {
		return &Node{ID: id, Kind: kind, parent: parent, base: base, name: name}
	}
	root := &Node{ID: 1, Kind: Dir}
	root.base = root
	dir, file := node(2, Dir, root, root, "d"), node(3, File, root, root, "f")
	round1, round2 := node(4, Dir, nil, nil, "x"), node(5, Dir, nil, nil, "y")
	round1.parent, round2.parent = round2, round1
	self := node(6, Dir, nil, nil, "s")
	self.base = self
	cases := map[string][]*Node{
		"nowhere":          {node(7, File, nil, nil, "n")},
		"unknown parent":   {node(7, File, &Node{ID: 99}, nil, "n")},
		"unknown base":     {node(7, File, root, &Node{ID: 99}, "n")},
		"below a file":     {node(7, File, file, nil, "n")},
		"round":            {round1, round2},
		"in itself":        {self},
		"name taken":       {node(7, File, root, nil, "f")},
		"base taken":       {node(7, File, nil, root, "f")},
		"no name":          {node(7, File, root, nil, "")},
		"no base name":     {node(7, File, nil, root, "")},
		"below a lost one": {node(7, Dir, &Node{ID: 99}, nil, "n"), node(8, File, &Node{ID: 7}, nil, "m")},
	}
	for name, bad := range cases {
		r := Replay()
		require.NoError(t, r.Apply(New().encode(append([]*Node{dir, file}, bad...), nil, nil, nil)))
		tree, _, lost := r.Finish()
		require.Equal(t, len(bad), lost, name)
		tree.Nodes(func(n *Node) { require.NotEmpty(t, n.Path()+n.RemotePath(), name) })
	}
	for name, n := range map[string]*Node{
		"owned without a copy": {ID: 7, Kind: File, content: Owned, parent: root, name: "n"},
		"directory with bytes": {ID: 7, Kind: Dir, content: Changed, copied: &Copy{}, parent: root, name: "n"},
		"no kind":              {ID: 7, parent: root, name: "n"},
		"no identity":          {Kind: File, parent: root, name: "n"},
		"edited without one":   {ID: 7, Kind: File, content: Edited, parent: root, name: "n"},
		"unknown content":      {ID: 7, Kind: File, content: Edited + 1, copied: &Copy{}, parent: root, name: "n"},
		"unknown answer":       {ID: 7, Kind: File, Known: Exists + 1, parent: root, name: "n"},
	} {
		require.Error(t, Replay().Apply(New().encode([]*Node{n}, nil, nil, nil)), name)
	}
}

// Whatever a record holds, replaying it gives an error or a tree that can be used and recorded again.
func FuzzReplay(f *testing.F) {
	for _, seed := range []int{1, 2, 3} {
		records := rapid.Custom(func(t *rapid.T) [][]byte { _, log := grow(t); return log })
		for _, rec := range records.Example(seed) {
			f.Add(rec)
		}
	}
	f.Add(EncodeDone(1))
	f.Fuzz(func(t *testing.T, record []byte) {
		r := Replay()
		for range 2 {
			_ = r.Apply(record)
		}
		tree, _, _ := r.Finish()
		tree.Nodes(func(n *Node) { require.NotEmpty(t, n.Path()+n.RemotePath()) })
		require.Equal(t, remembered(tree), remembered(replayed(t, snapshot(tree))))
		tree.Plan(parking)
	})
}

// A log of an earlier version has no version of a stale copy: it is a version that no remote has.
func TestStaleCopyOfAnOlderLog(t *testing.T) {
	t.Parallel()
	tree := New()
	n := tree.Discover(tree.Root(), "f", File, Meta{Size: 2, MTime: 2}, 1)
	installing := Copy{Stamp: Stamp{Size: 1}}.From("temporary")
	n.content, n.copied = Owned, &installing
	tree.Touch(n)
	for _, stale := range []bool{false, true} {
		e := encoder{}
		e.node(n)
		d := decoder{b: e.b}
		id, flags := d.uint(), d.uint()
		if stale {
			flags |= isStale
		}
		older := encoder{}
		older.uint(id)
		older.uint(flags)
		d = decoder{b: append(older.b, d.b...)}
		got := d.node().node
		require.NoError(t, d.end())
		require.Equal(t, map[bool]Meta{false: n.Meta, true: {}}[stale], got.Seen())
	}
}

// Names and paths that lead elsewhere, steps that none makes, and identities without room behind them are no record of this
// package.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	root := New().Root()
	file := func() *Node { return &Node{ID: 2, Kind: File, parent: root, name: "f", base: root} }
	apply := func(n *Node, actions []Action, guards map[ID]*Guard) error {
		return Replay().Apply(New().encode([]*Node{n}, nil, actions, guards))
	}
	step := func(from, to, aside string) *Intent { return &Intent{Kind: Move, From: from, To: to, Aside: aside} }
	require.NoError(t, apply(file(), []Action{{Kind: RenameLocal, From: ".syncfs/trash/1", To: "a/\xff"}},
		map[ID]*Guard{3: {Kind: File, Intent: *step("a", "b/..c", "")}}))
	for _, path := range []string{"..", "../x", "/etc/passwd", "a/../../b", "a//b", "a/", "./a", "a/.", "a\x00"} {
		n := file()
		if n.name = path; !strings.Contains(path, "/") {
			require.Error(t, apply(n, nil, nil), "%q", path)
		}
		n = file()
		n.renamed, n.more = true, &more{baseName: path}
		require.Error(t, apply(n, nil, nil), "%q", path)
		for _, i := range []*Intent{step(path, "b", ""), step("a", path, ""), step("a", "b", path)} {
			n = file()
			n.Diff = &Diff{Intent: i}
			require.Error(t, apply(n, nil, nil), "%q", path)
			require.Error(t, apply(file(), nil, map[ID]*Guard{3: {Kind: File, Intent: *i}}), "%q", path)
		}
		n = file()
		n.Diff = &Diff{Home: &Home{Dir: 1, Name: path}}
		require.Error(t, apply(n, nil, nil), "%q", path)
		n = file()
		installing := Copy{}.From(path)
		n.content, n.copied = Owned, &installing
		require.Error(t, apply(n, nil, nil), "%q", path)
		require.Error(t, apply(file(), []Action{{Kind: RenameLocal, From: path, To: "b"}}, nil), "%q", path)
		require.Error(t, apply(file(), []Action{{Kind: RenameLocal, From: "a", To: path}}, nil), "%q", path)
	}
	for _, i := range []Intent{{}, {Kind: Move, From: "a"}, {Kind: Move, From: ".", To: "a"}, {Kind: Move, From: "a", To: "."},
		{Kind: Erase}, {Kind: Make, To: "."}, {Kind: Reset, To: ".", Aside: "a"}, {Kind: Deliver, From: "a"},
		{Kind: Deliver + 1, From: "a", To: "b"}} {
		require.Error(t, apply(file(), nil, map[ID]*Guard{3: {Kind: File, Intent: i}}), "%+v", i)
	}
	for _, id := range []ID{maxID + 1, 1 << 63, math.MaxUint64} {
		n := file()
		n.ID = id
		require.Error(t, apply(n, nil, nil))
		last := New()
		last.lastID = id
		require.Error(t, Replay().Apply(last.encode(nil, nil, nil, nil)))
		last = New()
		last.seq = uint64(id)
		require.Error(t, Replay().Apply(last.encode(nil, nil, nil, nil)))
	}
}

// What a record says wrongly of a node that has a place is put right.
func TestHostileNodes(t *testing.T) {
	t.Parallel()
	root := New().Root()
	n := &Node{ID: 99, Kind: Link, parent: root, name: "l", base: root, Meta: Meta{Mode: fs.ModeDir | 0o755, Size: -1}}
	r := Replay()
	require.NoError(t, r.Apply(New().encode([]*Node{n}, nil, nil, nil)))
	tree, _, lost := r.Finish()
	require.Zero(t, lost)
	require.Equal(t, Meta{Mode: 0o755}, tree.Node(99).Meta, "it would be walked, and read")
	require.Greater(t, tree.Create(tree.Root(), "new", File, Meta{}, Absent, 1).ID, ID(99), "no identity is used twice")
}

// Only a file that is not in the view is one of the library's own.
func TestHostileTemporaryFiles(t *testing.T) {
	t.Parallel()
	root := New().Root()
	r := Replay()
	require.NoError(t, r.Apply(New().encode([]*Node{
		{ID: 2, Kind: File, Temp: true, base: root, renamed: true, more: &more{baseName: "file"}},
		{ID: 3, Kind: Dir, Temp: true, base: root, renamed: true, more: &more{baseName: "dir"}},
		{ID: 4, Kind: File, Temp: true, parent: root, base: root, name: "seen"},
	}, nil, nil, nil)))
	tree, _, lost := r.Finish()
	require.Zero(t, lost)
	require.Equal(t, []bool{true, false, false}, []bool{tree.Node(2).Temp, tree.Node(3).Temp, tree.Node(4).Temp})
}

// What was to be put into something that is no directory is not looked for there.
func TestHostileIntents(t *testing.T) {
	t.Parallel()
	for dir, i := range map[ID]Intent{
		2: {Kind: Make, To: "f/x", Dir: 2},
		1: {Kind: Erase, From: "x", Dir: 1},
	} {
		root := New().Root()
		r := Replay()
		require.NoError(t, r.Apply(New().encode([]*Node{
			{ID: 2, Kind: File, Known: Exists, parent: root, base: root, name: "f"},
			{ID: 3, Kind: Link, parent: root, name: "x", Diff: &Diff{Intent: &i}},
		}, nil, nil, nil)))
		tree, _, lost := r.Finish()
		require.Zero(t, lost)
		tree.Unlink(tree.Node(3), 1)
		require.Nil(t, tree.Node(3), "%d", dir)
		require.False(t, tree.Node(2).HasKids())
	}
}
