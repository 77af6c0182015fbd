//go:build !unix

package mirror

// maxHandles is how many open files the process may have: nothing limits them here.
func maxHandles() uint64 { return handlesEach * smallAtOnce }
