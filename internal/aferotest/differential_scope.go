package aferotest

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// scope is a testing.TB that ends with one random sequence and not with the test: its cleanups run then, and its
// failures are those of the sequence.
type scope struct {
	testing.TB
	rt       *rapid.T
	cleanups []func()
}

func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) close() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

func (s *scope) TempDir() string {
	dir, err := os.MkdirTemp("", "aferotest")
	if err != nil {
		s.rt.Fatalf("%v", err)
	}
	s.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			s.rt.Errorf("%v", err)
		}
	})
	return dir
}

func (s *scope) Helper()                           {}
func (s *scope) Log(args ...any)                   { s.rt.Log(args...) }
func (s *scope) Logf(format string, args ...any)   { s.rt.Logf(format, args...) }
func (s *scope) Error(args ...any)                 { s.rt.Error(args...) }
func (s *scope) Errorf(format string, args ...any) { s.rt.Errorf(format, args...) }
func (s *scope) Fatal(args ...any)                 { s.rt.Fatal(args...) }
func (s *scope) Fatalf(format string, args ...any) { s.rt.Fatalf(format, args...) }
func (s *scope) Fail()                             { s.rt.Fail() }
func (s *scope) FailNow()                          { s.rt.FailNow() }
func (s *scope) Failed() bool                      { return s.rt.Failed() }
