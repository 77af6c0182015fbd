package wire

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// namesBody is an answer that lists these names.
func namesBody(names ...string) []byte { return wiretest.NamesPacket(0, names...)[headerSize:] }

// The bound that holds by default has room for four million entries as OpenSSH lists them.
func TestMaxListing(t *testing.T) {
	t.Parallel()
	const entries, together = 4_000_000, 100
	name := strings.Repeat("n", 20)
	page := []any{uint32(together)}
	for range together {
		page = append(page, name, strings.Repeat("l", 57)+name, wiretest.AttrsOf(0, 0o100644, 1e9), uint32(0), uint32(0)) // and an owner
	}
	size := len(wiretest.Packet(wiretest.Name, 0, page...)) - headerSize
	require.Less(t, entries/together*(size+(together+1)*entryCost), MaxListing)
}

// A listing ends with an error when it takes too much memory, or goes on without a new entry.
func TestListingIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page    func(n int) []string
		answers int // that pass
		says    string
	}{
		"entries": {func(n int) []string { return []string{fmt.Sprint(n)} }, 34, "lists more than 10000 bytes"},
		"nothing": {func(int) []string { return nil }, 75, "lists more than 10000 bytes"},
		"itself":  {func(int) []string { return []string{".", ".."} }, 21, "lists more than 10000 bytes"},
	} {
		var l listing
		n := 0
		err := error(nil)
		for ; err == nil; n++ {
			err = l.add(namesBody(c.page(n)...), 10_000)
		}
		require.Equal(t, c.answers, n-1, name)
		require.ErrorContains(t, err, c.says, name)
		require.ErrorIs(t, err, fs.ErrInvalid, name)
	}
	for name, page := range map[string][]string{"nothing": nil, "itself": {".", ".."}, "the same": {"a", "b"}} {
		var l listing
		for n := 0; n <= maxBarren; n++ {
			require.NoError(t, l.add(namesBody(fmt.Sprint(n)), MaxListing), name) // a new one sets the count back
		}
		require.NoError(t, l.add(namesBody(page...), MaxListing), name)
		for l.barren < maxBarren {
			require.NoError(t, l.add(namesBody(page...), MaxListing), name)
		}
		require.ErrorContains(t, l.add(namesBody(page...), MaxListing), "no new entry in 257 answers", name)
	}
}

// An answer that does not hold what it says it does is malformed, and names no part of it as an entry.
func TestListingRefusesWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	require.NoError(t, new(listing).add([]byte{0, 0, 0, 0}, MaxListing))
	require.ErrorIs(t, new(listing).add([]byte{0, 0, 0, 1}, MaxListing), errMalformed)
	for _, name := range []string{"", "/", "a/b", "../x", "x/..", "a\x00b", strings.Repeat("x", maxName+1)} {
		err := new(listing).add(namesBody("good", name), MaxListing)
		require.ErrorAs(t, err, new(BadAnswer), "%q", name)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
		require.Equal(t, CheckName(name), err)
	}
	for _, name := range []string{".", ".."} {
		require.NoError(t, new(listing).add(namesBody(name), MaxListing), "some servers list it")
		require.Error(t, CheckName(name), "but it is no entry")
	}
	require.NoError(t, CheckName(strings.Repeat("x", maxName)))
}
