package opensshtest

import (
	"bufio"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	p, err := parseStat("7 (a) (b) S 3 7 5 0 -1")
	require.NoError(t, err)
	require.Equal(t, processInfo{state: "S", parent: 3}, p)
	for _, bad := range []string{"", "7 (a)", "7 (a) S", "7 (a) S x"} {
		_, err := parseStat(bad)
		require.Error(t, err, bad)
	}
}

func TestDescendants(t *testing.T) {
	t.Parallel()
	tree := map[int]processInfo{2: {parent: 1}, 3: {parent: 2}, 4: {parent: 3}, 5: {parent: 1}}
	require.ElementsMatch(t, []int{3, 4}, descendants(tree, 2))
	require.Empty(t, descendants(tree, 5))
}

func TestStopLeavesNoProcess(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	sshd := s.process.cmd.Process.Pid
	conn, err := net.Dial("tcp", s.Addr)
	require.NoError(t, err)
	defer conn.Close()
	// The banner comes from the session, so there is one now.
	_, err = bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	during, err := listProcesses()
	require.NoError(t, err)
	sessions := descendants(during, sshd)
	require.NotEmpty(t, sessions)

	s.Stop()
	after, err := listProcesses()
	require.NoError(t, err)
	for _, pid := range append(sessions, sshd) {
		// What has ended stays listed until init has waited for it.
		require.Contains(t, []string{"", "Z"}, after[pid].state)
	}
}
