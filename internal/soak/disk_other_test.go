//go:build unix && !linux

package soak

import "testing"

// disk is a file system that can be full; there is none.
type disk struct{}

func newDisk(testing.TB, string) *disk { return nil }

func (*disk) fill() {}

func (*disk) empty() {}
