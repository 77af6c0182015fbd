package sftptest_test

import (
	"fmt"
	"log"
	"os"
	"testing"
)

// exampleT stands in for the *testing.T that an example does not have.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func newT() *exampleT { return &exampleT{} }

func (t *exampleT) Helper()           {}
func (t *exampleT) Error(args ...any) { fmt.Println(args...) }
func (t *exampleT) Fatal(args ...any) { log.Fatal(args...) }
func (t *exampleT) Cleanup(f func())  { t.cleanups = append(t.cleanups, f) }

func (t *exampleT) TempDir() string {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (t *exampleT) end() {
	for len(t.cleanups) > 0 {
		last := len(t.cleanups) - 1
		t.cleanups[last]()
		t.cleanups = t.cleanups[:last]
	}
}
