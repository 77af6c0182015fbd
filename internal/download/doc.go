// Package download downloads one version of a remote file into a temporary local file, while any number of readers use
// the bytes that have arrived. It knows neither the tree nor the names of a mirror: a [Source] opens the remote's file,
// and an [Owner] reserves room and takes the finished copy.
//
// # Bytes
//
// The file arrives in order, from the start (transfer.go). A second goroutine writes and hashes it, so that the next
// bytes are requested meanwhile. A reader far ahead gets requests of its own (ranges.go). If a download is cut off, the
// bytes that arrived in order stay as a [Partial], with a note beside it that describes it. The next download of the
// same version resumes from there.
//
// # One version
//
// The download asks for the version when the file is open, and again when all bytes have arrived. Readers get bytes
// before the second check, except the last byte of the file. So a reader that sees the end has read one version. If the
// file changed meanwhile, the download fails with [ErrChanged] and keeps nothing.
//
// # Locks
//
// Download.mu is a leaf: no I/O and no call of the owner is made while it is held. For what the mirror's lock guards,
// see [Ledger].
package download
