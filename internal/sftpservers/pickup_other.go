//go:build !linux

package sftpservers

import "testing"

// Pickup is a program that takes each file out of one directory as soon as it is complete. It needs Linux.
type Pickup struct{}

// StartPickup skips the test.
func StartPickup(t testing.TB, _ string) *Pickup {
	t.Helper()
	t.Skip("a pickup needs inotify")
	return nil
}

// Taken returns what was taken.
func (*Pickup) Taken() []Taken { return nil }
