// Package link simulates a bad network link for tests and benchmarks: a TCP proxy on loopback with a round-trip time
// and a bandwidth, which can be cut after a number of bytes, frozen, and reset.
package link
