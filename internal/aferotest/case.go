package aferotest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/spf13/afero"
)

// Case is one behaviour. If Needs is nil, every Fs must have it.
type Case struct {
	Name  string
	Needs []Capability
	run   func(c *C)
}

// Cases returns the whole suite. The names are unique.
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

// Check runs the case on fsys, whose root must be empty, and returns the failures; none if the Fs conforms. A panic of
// the Fs is a failure, too.
func (cs Case) Check(fsys afero.Fs) (failures []string) {
	c := &C{Fs: fsys}
	done := make(chan struct{})
	go func() { // FailNow ends this goroutine
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

// C is what a case runs with: an empty Fs and a list of failures. It is a require.TestingT that does not need package
// testing, so a test of the suite can observe a failing case. Errorf may be called from any goroutine, FailNow only
// from that of the case.
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

// Helper exists for testify.
func (c *C) Helper() {}

// track closes f when the case ends, so that a failed case leaves no open file.
func (c *C) track(f afero.File) afero.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = append(c.files, f)
	return f
}

func (c *C) closeAll() {
	for _, f := range c.files {
		_ = f.Close() // usually closed already
	}
}
