package lockorder_test

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
)

func TestMain(m *testing.M) {
	lockorder.Check(1)
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		panic(err)
	}
	os.Exit(code)
}

type (
	first  struct{}
	second struct{}
)

func (first) Rank() int    { return 1 }
func (first) Waits() bool  { return true }
func (second) Rank() int   { return 2 }
func (second) Waits() bool { return false }

func TestOrder(t *testing.T) {
	t.Parallel()
	var a lockorder.Mutex[first]
	var b lockorder.RWMutex[second]
	for range 2 {
		a.Lock()
		require.NotPanics(t, b.RLock)
		b.RUnlock()
		b.Lock()
		a.Unlock() // in any order
		b.Unlock()
	}
	b.RLock()
	require.PanicsWithValue(t, "lockorder: lockorder_test.first is taken while lockorder_test.second is held", a.Lock)
	b.RUnlock()
	var other lockorder.Mutex[first]
	a.Lock()
	require.Panics(t, other.Lock, "two of a rank have no order")
	a.Unlock()
	require.NotPanics(t, other.Lock)
	other.Unlock()
}

func TestMayWait(t *testing.T) {
	t.Parallel()
	var a lockorder.Mutex[first]
	var b lockorder.Mutex[second]
	lockorder.MayWait()
	a.Lock()
	lockorder.MayWait()
	b.Lock()
	require.PanicsWithValue(t, "lockorder: a wait while lockorder_test.second is held", lockorder.MayWait)
	b.Unlock()
	lockorder.MayWait()
	a.Unlock()
}

// What one goroutine holds is nothing to another.
func TestGoroutines(t *testing.T) {
	t.Parallel()
	var a lockorder.Mutex[first]
	var b lockorder.Mutex[second]
	b.Lock()
	var other sync.WaitGroup
	other.Go(func() {
		a.Lock()
		lockorder.MayWait()
		a.Unlock()
	})
	other.Wait()
	b.Unlock()
}
