package sftpfs

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestChannelsFor(t *testing.T) {
	t.Parallel()
	const far, mib = 100 * time.Millisecond, 1 << 20
	for _, c := range []struct {
		roundTrip     time.Duration
		bytes, others int64
		want          int
	}{
		{far, 0, 0, 1},
		{far, 8 * mib, 0, 1},
		{far, 16 * mib, 0, 2},
		{far, 256 * mib, 0, DefaultMaxChannels},
		{far, math.MaxInt64, math.MaxInt64, DefaultMaxChannels},
		{longRoundTrip - 1, 256 * mib, 256 * mib, 1},
		{0, 256 * mib, 256 * mib, 1}, // not known yet
		{far, 8 * mib, 2 * mib, 1},
		{far, 8 * mib, 8 * mib, 2},
		{far, 8 * mib, 30 * mib, 4},
		{far, 2*mib - 1, 256 * mib, 1}, // a small file has nothing to spread
		{far, 3 * mib, 256 * mib, 3},
	} {
		require.Equal(t, c.want, channelsFor(c.roundTrip, c.bytes, c.others), c)
	}
}

func TestLeastUsed(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	alone := func(underWay int64) share { return share{2 * mib, 2 * mib, underWay} }
	for name, c := range map[string]struct {
		shares  []share
		held, n int64
		want    int
	}{
		"all of the channel":              {[]share{alone(2*mib - packet)}, 2*mib - packet, packet, 0},
		"no more than that":               {[]share{alone(2*mib - packet)}, 2*mib - packet, packet + 1, -1},
		"what waits to be taken is held":  {[]share{alone(0)}, 2 * mib, packet, -1},
		"half of it for each of two":      {[]share{{2 * mib, 4 * mib, mib}}, mib, packet, -1},
		"less for the small one of two":   {[]share{{mib, 4 * mib, mib / 2}}, mib / 2, packet, -1},
		"one packet in any case":          {[]share{{packet, 1 << 40, 0}}, 0, packet, 0},
		"the channel with less under way": {[]share{alone(mib), alone(0), alone(mib)}, 2 * mib, packet, 1},
		"the one with fewer transfers":    {[]share{{2 * mib, 32 * mib, 0}, {2 * mib, 6 * mib, mib / 2}}, mib / 2, packet, 1},
		"the claim is not counted yet":    {[]share{{2 * mib, 0, 0}}, mib, packet, 0},
	} {
		require.Equal(t, c.want, leastUsed(c.shares, c.held, c.n), name)
	}
}

// However many transfers there are, together they hold what the channels carry in a round trip, and a packet each; and
// those that have the same claims and channels hold the same.
func TestSharesAreFairAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		claimed := make([]int64, rapid.IntRange(1, 8).Draw(t, "channels"))
		type user struct {
			claim    int64
			channels []int
			under    []int64
			held     int64
		}
		users := make([]*user, rapid.IntRange(1, 40).Draw(t, "transfers"))
		for i := range users {
			u := &user{claim: rapid.SampledFrom([]int64{smallPacket, packet, inFlight}).Draw(t, "claim")}
			u.channels = rapid.SliceOfNDistinct(rapid.IntRange(0, len(claimed)-1), 1, -1, rapid.ID[int]).Draw(t, "channels")
			u.under = make([]int64, len(u.channels))
			for _, c := range u.channels {
				claimed[c] += u.claim
			}
			users[i] = u
		}
		for _, i := range rapid.Permutation(indices(users)).Draw(t, "order") {
			u := users[i]
			for {
				var shares []share
				for k, c := range u.channels {
					shares = append(shares, share{u.claim, claimed[c], u.under[k]})
				}
				channel := leastUsed(shares, u.held, packet)
				if channel < 0 {
					break
				}
				u.held += packet
				u.under[channel] += packet
			}
		}
		held := int64(0)
		for i, u := range users {
			require.GreaterOrEqual(t, u.held, int64(packet))
			held += u.held
			for _, other := range users[:i] {
				if u.claim == other.claim && sameSet(u.channels, other.channels) {
					require.Equal(t, other.held, u.held)
				}
			}
		}
		require.LessOrEqual(t, held, int64(len(claimed)*inFlight+len(users)*packet))
	})
}

func indices[T any](of []T) (all []int) {
	for i := range of {
		all = append(all, i)
	}
	return all
}

func sameSet(a, b []int) bool {
	in := make(map[int]bool)
	for _, v := range a {
		in[v] = true
	}
	for _, v := range b {
		if !in[v] {
			return false
		}
	}
	return len(a) == len(b)
}

// What a channel that has failed would have carried goes to all the others, not to the file's own handle alone.
func TestFailedChannelTakesNoMore(t *testing.T) {
	t.Parallel()
	c := newConnection("host:22")
	l := &parallelChannels{claim: inFlight}
	for range 4 {
		l.all = append(l.all, &parallelChannel{session: newSession(nil, c, newLearnt())})
	}
	l.all[2].failed.Store(true)
	for range 3 * inFlight / packet {
		one := l.next(packet, 0)
		require.NotSame(t, l.all[2], one)
		one.underWay.Add(packet)
	}
	for i, one := range l.all {
		if i != 2 {
			require.EqualValues(t, inFlight, one.underWay.Load())
		}
	}
	require.Nil(t, l.next(packet, 3*inFlight))
}

// Channels that are wanted while there is one channel go evenly to those that are made for them.
func TestParallelChannelsAreSpread(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		perConn, sessions int
		takes             time.Duration
		most              int64 // channels on one session
	}{
		"all there can be":  {0, 8, time.Second, 6},
		"one other":         {1, 2, time.Second, minFileLimit},
		"they are long due": {0, 8, time.Minute, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &fakeOpener{perConn: c.perConn}
				m := testManager(t, o)
				first := get(t, m)
				o.takes = c.takes
				first.claimed.Store(20 * inFlight)
				var wg sync.WaitGroup
				for range 20 {
					have := &taken{[]*session{first}, inFlight}
					wg.Go(func() { m.another(t.Context(), have) })
					wg.Go(func() { m.another(t.Context(), have) })
				}
				wg.Wait()
				require.EqualValues(t, 20*inFlight, first.claimed.Load())
				live := m.live()
				require.Len(t, live, c.sessions)
				for _, s := range live {
					if s != first {
						require.GreaterOrEqual(t, s.claimed.Load(), (c.most-1)*inFlight)
						require.LessOrEqual(t, s.claimed.Load(), c.most*inFlight)
					}
				}
			})
		})
	}
}

// A new file is opened where transfers leave most room.
func TestTransfersCountAsBurden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := testManager(t, &fakeOpener{})
		first := get(t, m)
		second := m.another(t.Context(), &taken{sessions: []*session{first}})
		first.claimed.Add(inFlight)
		for range inFlight / packet {
			require.Same(t, second, get(t, m))
		}
		require.Same(t, first, get(t, m), "it has less to do now")
	})
}

func TestGrowing(t *testing.T) {
	t.Parallel()
	look := func(size uint64, mtime uint32) *sftp.FileStat {
		return &sftp.FileStat{Size: size, Mtime: mtime, Mode: 0o644, UID: 1, GID: 1}
	}
	other := look(15, 1)
	other.Mode = 0o600
	for name, c := range map[string]struct {
		looks [3]*sftp.FileStat
		want  bool
	}{
		"the same":                {[3]*sftp.FileStat{look(10, 1), look(15, 1), look(20, 2)}, true},
		"empty":                   {[3]*sftp.FileStat{look(0, 1), look(15, 1), look(20, 2)}, false},
		"another that stands":     {[3]*sftp.FileStat{look(15, 1), look(15, 1), look(15, 1)}, false},
		"another on the way":      {[3]*sftp.FileStat{look(15, 1), look(20, 1), look(15, 1)}, false},
		"another that is ahead":   {[3]*sftp.FileStat{look(15, 1), look(10, 1), look(20, 1)}, false},
		"another that is behind":  {[3]*sftp.FileStat{look(10, 1), look(30, 1), look(20, 1)}, false},
		"written at another time": {[3]*sftp.FileStat{look(10, 2), look(15, 1), look(20, 2)}, false},
		"of another mode":         {[3]*sftp.FileStat{look(10, 1), other, look(20, 1)}, false},
	} {
		require.Equal(t, c.want, growing(c.looks), name)
	}
}
