package statelog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

func TestNewLog(t *testing.T) {
	t.Parallel()
	for _, d := range []*localdir.Dir{memoryDir(t), realDir(t)} {
		l, damage, records := reopen(t, d)
		require.Nil(t, damage)
		require.Empty(t, records)
		require.EqualValues(t, headerSize, l.Size())
		require.True(t, l.Started())
		appendAll(t, l, "one", "", strings.Repeat("long", bufSize))
		require.NoError(t, l.Close())
		require.Equal(t, []string{"one", "", strings.Repeat("long", bufSize)}, contents(t, d))
		require.Equal(t, []string{"log"}, files(t, d))
		l, _, _ = reopen(t, d)
		require.False(t, l.Started())
		require.NoError(t, l.Close())
	}
}

// TestTornTail cuts a log at every byte of its last two records.
func TestTornTail(t *testing.T) {
	t.Parallel()
	records := []string{"first", "", "third record", "fourth"}
	whole := encode(records...)
	for cut := len(encode(records[:2]...)); cut <= len(whole); cut++ {
		kept := 2
		for kept < len(records) && len(encode(records[:kept+1]...)) <= cut {
			kept++
		}
		checkTail(t, whole[:cut], records[:kept])
	}
}

// TestTail puts what a crash can leave behind a good log.
func TestTail(t *testing.T) {
	t.Parallel()
	records := numbered(3)
	whole := encode(records...)
	random := rand.NewChaCha8([32]byte{})
	for _, n := range []int{1, 4, 7, 8, 9, 100, 4096, bufSize - 1, bufSize, 2*bufSize + 11} {
		checkTail(t, append(whole[:len(whole):len(whole)], make([]byte, n)...), records)
		garbage := make([]byte, n)
		_, _ = random.Read(garbage)
		checkTail(t, append(whole[:len(whole):len(whole)], garbage...), records)
	}
	for _, length := range []uint32{1, 100, MaxRecord, MaxRecord + 1, 1<<32 - 1} {
		start := binary.LittleEndian.AppendUint32(nil, length)
		checkTail(t, append(whole[:len(whole):len(whole)], append(start, "sum?and some bytes"...)...), records)
	}
}

// checkTail opens file, which holds records and an end that is cut off silently, and goes on with it.
func checkTail(t *testing.T, file []byte, records []string) {
	t.Helper()
	d := memoryDir(t)
	put(t, d, logName, file)
	l, damage, got := reopen(t, d)
	require.Nil(t, damage, "length %d", len(file))
	require.Equal(t, records, got)
	require.EqualValues(t, len(encode(records...)), l.Size())
	require.Equal(t, encode(records...), get(t, d, logName))
	appendAll(t, l, "next")
	require.NoError(t, l.Close())
	require.Equal(t, append(records[:len(records):len(records)], "next"), contents(t, d))
	require.Equal(t, []string{"log"}, files(t, d))
}

// TestTornHeader cuts off the header, before which nothing can have been appended.
func TestTornHeader(t *testing.T) {
	t.Parallel()
	for n := range headerSize {
		for _, file := range [][]byte{header()[:n], make([]byte, n)} {
			d := memoryDir(t)
			put(t, d, logName, file)
			l, damage, records := reopen(t, d)
			require.Nil(t, damage)
			require.Empty(t, records)
			appendAll(t, l, "next")
			require.NoError(t, l.Close())
			require.Equal(t, []string{"next"}, contents(t, d))
			require.Equal(t, []string{"log"}, files(t, d))
		}
	}
}

// TestBitFlips flips every bit of a small log.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	records := []string{"first", "", "third record", "fourth"}
	whole := encode(records...)
	for i := range whole {
		for bit := range 8 {
			file := bytes.Clone(whole)
			file[i] ^= 1 << bit
			good := 0
			for len(encode(records[:good+1]...)) <= i {
				good++
			}
			if good == len(records)-1 {
				checkTail(t, file, records[:good])
				continue
			}
			d := memoryDir(t)
			put(t, d, logName, file)
			want := Damage{Offset: int64(len(encode(records[:good]...))), Records: good, Err: errBadRecord}
			if i < headerSize {
				want = Damage{Err: errBadHeader}
			}
			checkDamage(t, d, file, want, records[:good])
		}
	}
}

// checkDamage opens a log that has file as its content.
func checkDamage(t *testing.T, d *localdir.Dir, file []byte, want Damage, good []string) {
	t.Helper()
	l, damage, got := reopen(t, d)
	require.NotNil(t, damage)
	require.Equal(t, good, append([]string{}, got...))
	require.Equal(t, file, get(t, d, damage.File))
	require.Regexp(t, `^\.syncfs/log\.damaged-\d{8}T\d{6}Z$`, damage.File)
	want.File = damage.File
	require.Equal(t, want, *damage)
	require.Contains(t, damage.String(), damage.File)

	appendAll(t, l, "next")
	require.NoError(t, l.Close())
	require.Equal(t, append(append([]string{}, good...), "next"), contents(t, d))
	require.Len(t, files(t, d), 2)
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"x", "{}\n", "SYNCFSLG and then something else altogether"} {
		d := memoryDir(t)
		put(t, d, logName, []byte(file))
		checkDamage(t, d, []byte(file), Damage{Err: errBadHeader}, []string{})
	}
}

// TestDamageIsReportedUntilDealtWith kills the process between Open and the Rewrite that follows.
func TestDamageIsReportedUntilDealtWith(t *testing.T) {
	t.Parallel()
	d := realDir(t)
	file := encode("one", "two", "three")
	file[len(encode("one"))+recordHeader] ^= 1
	put(t, d, logName, file)
	kept := make(map[string]bool)
	for range 3 {
		l, damage, records := reopen(t, d)
		require.NotNil(t, damage)
		require.Equal(t, []string{"one"}, records)
		require.Equal(t, file, get(t, d, damage.File))
		kept[damage.File] = true
		drop(l)
	}
	require.Len(t, kept, 3, "nothing set aside is overwritten")

	l, damage, records := reopen(t, d)
	require.NotNil(t, damage)
	require.NoError(t, l.Rewrite(l.Size(), values(records)))
	require.NoError(t, l.Close())
	require.Equal(t, []string{"one"}, contents(t, d))
	require.Len(t, files(t, d), 5)
}

func TestReplayError(t *testing.T) {
	t.Parallel()
	d := memoryDir(t)
	file := encode(numbered(5)...)
	put(t, d, logName, file)
	calls := 0
	l, damage, err := Open(d, logName, func(p []byte) error {
		if calls++; calls == 3 {
			return errInjected
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, calls)
	require.ErrorIs(t, damage.Err, errInjected)
	require.Equal(t, 2, damage.Records)
	require.EqualValues(t, len(encode(numbered(2)...)), damage.Offset)
	require.Equal(t, file, get(t, d, damage.File))
	require.NoError(t, l.Close())
}

// TestNewerVersion checks that a log of the future is left alone.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	d := memoryDir(t)
	h := append([]byte(magic), 2, 0, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
	file := append(h, "whatever that will be"...)
	put(t, d, logName, file)
	put(t, d, newName(logName), []byte("its business"))
	_, _, err := Open(d, logName, func([]byte) error { return errors.New("called") })
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, "2")
	require.Equal(t, file, get(t, d, logName))
	require.Equal(t, []string{"log", "log.new"}, files(t, d))
}

// TestUnreadable checks that a file which can't be read is neither cut nor set aside.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	file := append(encode(numbered(100)...), "the beginning of a record"...)
	for n := 0; ; n++ {
		fsys := &faultyFs{Fs: afero.NewMemMapFs()}
		d := openDir(t, fsys)
		put(t, d, logName, file)
		calls, fired := 0, false
		fsys.set(func(op string) error {
			if op == "read" {
				if calls++; calls == n+1 {
					fired = true
					return errInjected
				}
			}
			return nil
		})
		l, damage, err := Open(d, logName, func([]byte) error { return nil })
		fsys.set(nil)
		if !fired {
			require.NoError(t, err)
			require.Nil(t, damage)
			require.NoError(t, l.Close())
			require.Greater(t, n, 2)
			return
		}
		require.ErrorIs(t, err, errInjected)
		require.Equal(t, file, get(t, d, logName))
		require.Equal(t, []string{"log"}, files(t, d))
	}
}

// TestRecordInPayload checks the price of the rule: a cut-off record with a whole one inside counts as damage.
func TestRecordInPayload(t *testing.T) {
	t.Parallel()
	d := memoryDir(t)
	inner := string(appendRecord(nil, []byte("inner")))
	appended := encode("one", "xx"+inner+"yy")
	put(t, d, logName, appended)
	l, damage, records := reopen(t, d)
	require.Nil(t, damage)
	require.Equal(t, []string{"one", "xx" + inner + "yy"}, records, "a payload that looks like a record is none")
	require.NoError(t, l.Close())

	file := appended[:len(appended)-1]
	put(t, d, logName, file)
	checkDamage(t, d, file, Damage{Offset: int64(len(encode("one"))), Records: 1, Err: errBadRecord}, []string{"one"})
}

// TestSearchIsBounded opens a log with an end in which to search everything would take hours.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	d := realDir(t)
	garbage := make([]byte, 4<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(garbage)
	put(t, d, logName, append(encode("one"), garbage...))
	l, damage, records := reopen(t, d)
	require.Equal(t, []string{"one"}, records)
	require.NotNil(t, damage)
	require.NoError(t, l.Close())
}
