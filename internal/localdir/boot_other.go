//go:build !linux && !darwin

package localdir

func boot() string { return "" }
