package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseWires(t *testing.T) {
	t.Parallel()
	wires, err := parseWires("0, 20ms,20ms@12MB")
	require.NoError(t, err)
	require.Equal(t, []wire{{}, {20 * time.Millisecond, 0}, {20 * time.Millisecond, 12e6}}, wires)
	for _, bad := range []string{"", "20", "-1ms", "20ms@", "20ms@12", "20ms@0MB", "20ms@-1MB", "20ms,,0"} {
		_, err := parseWires(bad)
		require.Error(t, err, "%q", bad)
	}
}

func TestWireString(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0 ms", wire{}.String())
	require.Equal(t, "2.5 ms", wire{roundTrip: 2500 * time.Microsecond}.String())
	require.Equal(t, "20 ms, 12 MB/s", wire{20 * time.Millisecond, 12e6}.String())
	require.True(t, wire{}.isLoopback())
	require.False(t, wire{bandwidth: 1}.isLoopback())
}

func TestBetterWire(t *testing.T) {
	t.Parallel()
	far, near := wire{roundTrip: 2}, wire{roundTrip: 1}
	narrow, narrower := wire{roundTrip: 1, bandwidth: 20}, wire{roundTrip: 1, bandwidth: 10}
	require.True(t, near.betterThan(far))
	require.False(t, far.betterThan(near))
	require.False(t, near.betterThan(near))
	require.True(t, near.betterThan(narrow))
	require.False(t, narrow.betterThan(near))
	require.True(t, narrow.betterThan(narrower))
	require.True(t, far.betterThan(narrow), "which of them is depends on what is sent")
	require.True(t, narrow.betterThan(far))
}
