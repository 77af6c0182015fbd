//go:build !windows

package localdir

func isInvalidName(error) bool { return false }
