package tree

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// A field that is added to Node is given back by a rollback, or named here.
func TestRestoreGivesBackAllFields(t *testing.T) {
	t.Parallel()
	other := &Node{}
	was := Node{
		ID: 1, Kind: Dir, content: Owned, Known: Exists, Temp: true, recorded: true, renamed: true, usage: InUse,
		parent: other, name: "n", base: other, Meta: Meta{Size: 1}, Checked: 1, copied: &Copy{}, Diff: &Diff{}, more: &more{},
		older: other, newer: other, used: 1,
	}
	for i := range reflect.TypeFor[Node]().NumField() {
		require.False(t, reflect.ValueOf(was).Field(i).IsZero(), "%s has no value in this test", reflect.TypeFor[Node]().Field(i).Name)
	}
	n := Node{ID: was.ID, Kind: was.Kind, usage: was.usage, older: was.older, newer: was.newer}
	n.restore(&was)
	require.Equal(t, was, n)
}

// What never changes may be read while a transaction is taken back.
func TestIDAndKindAreReadWithoutALock(t *testing.T) {
	t.Parallel()
	tr := New()
	n := tr.Create(tr.Root(), "n", File, Meta{}, Absent, 1)
	tr.Commit()
	read := make(chan bool)
	go func() {
		defer close(read)
		for range 100 {
			read <- n.ID != 0 && n.Kind == File
		}
	}()
	for range 100 {
		tr.Edit(n).Checked++
		tr.Rollback(false)
		require.True(t, <-read)
	}
	<-read
}
