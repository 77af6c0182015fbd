package opensshtest

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a testing.TB that notes how a test was ended instead of ending it.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Skip(args ...any)                  { r.skipped = fmt.Sprint(args...); runtime.Goexit() }
func (r *recorder) Fatal(args ...any)                 { r.failed = fmt.Sprint(args...); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

func record(t *testing.T, o Options, places []string) *recorder {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		start(r, o, places)
	}()
	<-done
	return r
}

func TestSkipsWithoutSSHD(t *testing.T) {
	nowhere := []string{t.TempDir() + "/sshd"}

	t.Setenv("CI", "")
	r := record(t, Options{}, nowhere)
	require.Equal(t, "sshd is not installed", r.skipped)
	require.Empty(t, r.failed)

	t.Setenv("CI", "true")
	r = record(t, Options{}, nowhere)
	require.Equal(t, "sshd is not installed", r.failed)
	require.Empty(t, r.skipped)
}

func TestReportsWhySSHDDidNotStart(t *testing.T) {
	if _, err := find(places); err != nil {
		Start(t, Options{}) // skips, or fails where sshd has to be there
	}
	r := record(t, Options{Config: []string{"NoSuchKeyword yes"}}, places)
	require.Contains(t, r.failed, "NoSuchKeyword")
}
