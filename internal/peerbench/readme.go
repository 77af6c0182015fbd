package main

import (
	"fmt"
	"os"
	"strings"
)

// This program writes the part of a README between these lines.
const (
	beginMark = "<!-- peerbench: begin -->\n"
	endMark   = "<!-- peerbench: end -->\n"
)

// replaceMarked returns text with the part between the marks replaced.
func replaceMarked(text, part string) (string, error) {
	before, rest, begins := strings.Cut(text, beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", fmt.Errorf("no lines %q and %q", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return before + beginMark + part + endMark + after, nil
}

func writeReadme(name, part string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	replaced, err := replaceMarked(string(text), part)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(replaced), 0o644)
}
