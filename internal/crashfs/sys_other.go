//go:build !linux

package crashfs

func (*node) sys() any { return nil }
