package aferotest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// Differential applies random sequences of operations to the subject and to a plain directory. After each operation it
// compares the results, and the properties of the errors that a program can see. From time to time and at the end, it
// compares both trees. A failure shows the shortest sequence found and how to run it again. The flags of rapid apply:
// -rapid.checks sets the number of sequences, -rapid.steps their length.
//
// If package os returns an errno without a sentinel, such as EISDIR, the subject may return any error except the
// sentinels that a program would take for another answer. Operations that need a capability that the subject lacks are
// left out.
func Differential(t testing.TB, s Subject) {
	t.Helper()
	differential(t, t, s)
}

// differential reports failures to check. New gets a t that ends with the sequence.
func differential(check rapid.TB, t testing.TB, s Subject) {
	check.Helper()
	rapid.Check(check, func(rt *rapid.T) {
		scope := &scope{TB: t, rt: rt}
		defer scope.close()
		p := &pair{Subject: s, rt: rt, subject: s.New(scope), oracle: OS(scope.TempDir())}
		defer p.releaseAll()
		rt.Repeat(p.actions())
		p.closeAll()
		p.compareTrees()
		p.sometimes(rt)
	})
}

// pair is the subject and the oracle in one sequence.
type pair struct {
	Subject
	rt              *rapid.T
	subject, oracle afero.Fs
	open            []*handles
}

// handles is one file that is open in both.
type handles struct {
	name            string
	subject, oracle afero.File
	dir             bool
}

// do performs an operation on both and compares the results. It compares the values only if package os returns no
// error, or io.EOF.
func (p *pair) do(what string, op func(fsys afero.Fs) (any, error)) {
	got, gotErr := op(p.subject)
	want, wantErr := op(p.oracle)
	p.compare(what, got, gotErr, want, wantErr)
}

// doFile is do for a file.
func (p *pair) doFile(h *handles, what string, op func(f afero.File) (any, error)) {
	what = fmt.Sprintf("%s of %q", what, h.name)
	got, gotErr := op(h.subject)
	want, wantErr := op(h.oracle)
	p.compare(what, got, gotErr, want, wantErr)
}

func (p *pair) compare(what string, got any, gotErr error, want any, wantErr error) {
	p.rt.Helper()
	p.rt.Logf("%s: %v", what, outcome(want, wantErr))
	same := p.sameError(gotErr, wantErr)
	if same && (wantErr == nil || classOf(wantErr) == eof) {
		same = fmt.Sprintf("%#v", got) == fmt.Sprintf("%#v", want)
	}
	if !same {
		p.rt.Fatalf("%s:\n got %s\nwant %s", what, outcome(got, gotErr), outcome(want, wantErr))
	}
}

func outcome(value any, err error) string {
	if err != nil {
		return fmt.Sprintf("%#v, %v (%s)", value, err, classOf(err))
	}
	return fmt.Sprintf("%#v", value)
}

func (p *pair) sameError(got, want error) bool {
	g, w := classOf(got), classOf(want)
	if g == notExist && w == notDir && p.incapable(NotDirErrors) {
		return true
	}
	return instead(g, w)
}

func (s Subject) incapable(c ...Capability) bool {
	_, lacks := s.lacks(c)
	return lacks
}

// compareTrees compares all names, contents and symbolic links, and, if the subject is capable of them, modes and the
// times that Chtimes has set.
func (p *pair) compareTrees() {
	p.rt.Helper()
	got, err := Tree(p.subject)
	if err != nil {
		p.rt.Fatalf("the tree of the subject: %v", err)
	}
	want, err := Tree(p.oracle)
	if err != nil {
		p.rt.Fatalf("the tree of package os: %v", err)
	}
	if p.incapable(Chmod) || p.incapable(CreateMode) {
		dropModes(got)
		dropModes(want)
	}
	if diff := Diff(want, got); diff != "" {
		p.rt.Fatalf("the trees differ:\n%s", diff)
	}
	if p.incapable(Chtimes) {
		return
	}
	for name, w := range want {
		g := got[name]
		if w.Type == 0 && (wasSet(w.ModTime) || wasSet(g.ModTime)) && !w.ModTime.Equal(g.ModTime) {
			p.rt.Fatalf("modification time of %q: %v, want %v", name, g.ModTime, w.ModTime)
		}
	}
}

func dropModes(tree map[string]Entry) {
	for name, e := range tree {
		e.Perm = 0
		tree[name] = e
	}
}

// wasSet reports whether a time was set by Chtimes, which sets only times in the past here.
func wasSet(t time.Time) bool { return t.Before(past.AddDate(1, 0, 0)) }

// closeAll closes all files on both sides and compares the errors.
func (p *pair) closeAll() {
	for len(p.open) > 0 {
		p.closeOne(p.open[0])
	}
}

func (p *pair) closeOne(h *handles) {
	p.open = slices.DeleteFunc(p.open, func(o *handles) bool { return o == h })
	p.doFile(h, "close", func(f afero.File) (any, error) { return nil, f.Close() })
}

// releaseAll closes the files that are still open after a failure.
func (p *pair) releaseAll() {
	for _, h := range p.open {
		for _, f := range []afero.File{h.subject, h.oracle} {
			if f != nil {
				_ = f.Close()
			}
		}
	}
}

// sometimes calls the hook.
func (p *pair) sometimes(rt *rapid.T) {
	if p.Sometimes != nil {
		rt.Logf("sometimes")
		p.Sometimes(rt, p.subject, p.oracle)
	}
}

// describe returns the comparable part of a description.
func (p *pair) describe(fi fs.FileInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", fi.Name(), fi.Mode().Type())
	if t := fi.Mode().Type(); t != fs.ModeSymlink && !p.incapable(Chmod) && !p.incapable(CreateMode) {
		fmt.Fprintf(&b, " %v", fi.Mode().Perm())
	}
	if fi.Mode().IsRegular() {
		fmt.Fprintf(&b, " %d bytes", fi.Size())
		if wasSet(fi.ModTime()) && !p.incapable(Chtimes) {
			fmt.Fprintf(&b, " %v", fi.ModTime().UTC())
		}
	}
	return b.String()
}
