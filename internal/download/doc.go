// Package download brings one version of a remote file into a temporary local file, while any number of readers use what is
// there. It knows neither the tree nor the names of a mirror: a [Source] opens the file, and an [Owner] gives room and takes
// the copy.
//
// # Bytes
//
// The file comes in order, from the start (transfer.go). It is written by a second goroutine, so that the remote is asked
// for more meanwhile, and hashed on the way. A reader far ahead gets requests of its own (ranges.go). What came in order and
// is cut off stays as a [Partial], with a note beside it that says what it is, and the next download of that version goes on
// from there.
//
// # One version
//
// The version is asked for when the file is open, and again when all bytes are here. Bytes are given to a reader before the
// second look, but not the last one of the file: a reader that sees the end has read one version. If the file changed
// meanwhile, the download ends with [ErrChanged], and nothing of it is kept.
//
// # Locks
//
// Download.mu is a leaf: neither I/O nor a call of the owner is made under it. What is under the mirror's lock, see [Ledger].
package download
