// Summary reads the output of go test -json. It prints a line for each package, one for each test with many subtests,
// and what failed and skipped tests said. It ends with "N passed, N failed, N skipped", which counts tests and subtests. It exits with 1 unless every test
// passed and there was one.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line; see go doc cmd/test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // in place of Package while building
	Test       string
	Elapsed    float64
	Output     string
}

// name is a package, or a test of it.
type name struct{ pkg, test string }

type summary struct {
	out                     io.Writer
	output                  map[name]*strings.Builder
	failedIn                map[string]int // by package
	subtests                map[name]int   // that passed, by test
	race                    bool           // its report is being read
	passed, failed, skipped int
}

func main() {
	s := &summary{out: os.Stdout, output: map[name]*strings.Builder{}, failedIn: map[string]int{},
		subtests: map[name]int{}}
	decoder := json.NewDecoder(os.Stdin)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "not the output of go test -json:", err)
			os.Exit(1)
		}
		s.add(e)
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	if s.passed == 0 || s.failed > 0 || s.skipped > 0 {
		os.Exit(1)
	}
}

func (s *summary) add(e event) {
	n := name{e.Package, e.Test}
	switch e.Action {
	case "output":
		if strings.Contains(e.Output, "WARNING: DATA RACE") { // it may be within the output of a test that passes
			s.race = true
		}
		if s.race {
			fmt.Fprint(s.out, e.Output)
			s.race = !strings.HasPrefix(e.Output, "==========")
		}
		if s.output[n] == nil {
			s.output[n] = new(strings.Builder)
		}
		s.output[n].WriteString(e.Output)
		return
	case "build-output":
		fmt.Fprint(s.out, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	switch {
	case e.Test == "":
		s.endPackage(e)
	case e.Action == "pass":
		s.passed++
		test, _, _ := strings.Cut(e.Test, "/")
		s.subtests[name{e.Package, test}]++
	case e.Action == "fail":
		s.failed++
		s.failedIn[e.Package]++
		s.show(n)
	case e.Action == "skip":
		s.skipped++
		s.show(n)
	}
	delete(s.output, n)
}

// endPackage also counts a package that failed though no test of it did: it did not build, or something outside a test
// went wrong. What a test said that never ended is shown then too.
func (s *summary) endPackage(e event) {
	if e.Action == "fail" {
		if s.failedIn[e.Package] == 0 {
			s.failed++
		}
		for n := range s.output {
			if n.pkg == e.Package {
				s.show(n)
			}
		}
	}
	result := e.Action
	if result == "skip" {
		result = "none" // a package without tests
	}
	fmt.Fprintf(s.out, "%s  %7.2fs  %s\n", result, e.Elapsed, e.Package)
	var large []string
	for n, passed := range s.subtests {
		if n.pkg == e.Package && passed >= many {
			large = append(large, fmt.Sprintf("%14d  %s\n", passed, n.test))
		}
	}
	slices.Sort(large)
	fmt.Fprint(s.out, strings.Join(large, ""))
}

// many is the number of subtests from which a test has a line of its own.
const many = 100

func (s *summary) show(n name) {
	if text := s.output[n]; text != nil {
		fmt.Fprintf(s.out, "%s %s\n%s", n.pkg, n.test, text)
	}
}
