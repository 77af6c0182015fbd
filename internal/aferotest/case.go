package aferotest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/spf13/afero"
)

// Case is one behaviour. The zero value of Needs means that every Fs has it.
type Case struct {
	Name  string
	Needs []Capability
	run   func(c *C)
}

// Cases returns the whole suite. Names are unique.
func Cases() []Case {
	return slices.Concat(
		openCases(), createCases,
		readCases, writeCases, seekCases(), appendCases(), truncateCases, handleCases, fullFileCases(), closedCases(),
		dirCases, mkdirCases, listCases(),
		renameCases, renameDirCases, renameOpenCases, removeCases, removeAllCases,
		linkCases, linkPathCases, linkChangeCases,
		statCases, modeCases, timeCases, nameCases(), errorCases(),
		concurrencyCases, concurrencyNameCases, helperCases, iofsCases,
	)
}

// Check runs the case on fsys, whose root must be empty, and returns what was
// wrong; nothing if the Fs conforms. A panic of the Fs is a failure as well.
func (cs Case) Check(fsys afero.Fs) (failures []string) {
	c := &C{Fs: fsys}
	done := make(chan struct{})
	go func() { // which FailNow can end
		defer close(done)
		defer c.closeAll()
		defer func() {
			if r := recover(); r != nil {
				c.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		cs.run(c)
	}()
	<-done
	return c.failures
}

// C is what a case runs with: an empty Fs and a list of failures. It is a
// require.TestingT that does not need package testing, so that a test of the
// suite can see a case fail. Errorf may be called from any goroutine, FailNow
// from the case's own.
type C struct {
	Fs afero.Fs

	mu       sync.Mutex // guards failures and files
	failures []string
	files    []afero.File
}

// Errorf records a failure.
func (c *C) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

// FailNow ends the case.
func (c *C) FailNow() { runtime.Goexit() }

// Helper is there for testify.
func (c *C) Helper() {}

// track has f closed when the case ends, so that a failed case leaves nothing.
func (c *C) track(f afero.File) afero.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = append(c.files, f)
	return f
}

func (c *C) closeAll() {
	for _, f := range c.files {
		_ = f.Close() // closed already, as a rule
	}
}
