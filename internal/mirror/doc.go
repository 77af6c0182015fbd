// Package mirror keeps a part of a remote afero.Fs in a local directory and serves it from there. It is the engine
// under cachefs and syncfs. It resolves names to local files or to the remote's, opens files, tells copies from edits,
// lists directories, decides when to ask the remote, and records what it knows. Its users decide which changes are
// allowed, and when the remote changes.
//
// # One call
//
// Decisions are made under one lock, and no network I/O is done under it. A call is a function on a [View]. If it needs
// an answer from the remote, or the bytes of a file, it returns a need. [FS.Do] releases the lock, learns the answer,
// and calls the function again from its start. So a function must not change anything before its last question, and
// sees one consistent state when it does.
//
// Metadata of the local directory is read and changed under the lock, so that the tree and the directory agree. An
// fsync that must precede a change is a need, too. An fsync that must follow a change runs after the lock is released.
//
// # Lock order
//
// From first to last taken; two locks of one rank are never held together. Tests assert the order (see lockorder).
//
//  1. The lock of a File or Dir (package handle): one handle. Held during its calls, including network I/O.
//  2. openFile.bytes: the order of writes to a file and their commit. Held during local I/O of that file.
//  3. openFile.starting: a file is being recorded as busy. Held during an fsync, for which only its writers wait.
//  4. Stream.mu of package copies: what a handle reads from. Held while a download begins.
//  5. state.mu, the lock that Do takes: the tree and everything else that calls share. No network I/O and no fsync.
//  6. Download.mu of package download: the state of one download. A leaf: no I/O, no callback.
//  7. renamed.syncing of package localstore: directories are being synced.
//  8. renamed.mu of package localstore: the set of these directories. A leaf.
//
// The following locks are leaves that are taken alone: puller.mu, and those of the packages progress and remoteclock.
//
// # Bytes
//
// Package copies downloads the bytes that are not local. It shares the lock of the mirror.
package mirror
