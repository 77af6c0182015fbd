// Package aferotest tests implementations of [afero.Fs] against the semantics of package os.
//
// [Run] is a conformance suite of several hundred named cases. [Differential] applies random sequences of operations to
// a subject and to a plain directory, and compares every answer and the resulting trees. [OS] is that plain directory:
// a small afero.Fs over package os, which passes the suite first.
//
// The suite demands what a program written against afero.Fs relies on:
//
//   - Names. "a/b" and "/a/b" are the same file below the root of the Fs. Names are cleaned lexically, so "a/./b",
//     "a//b" and "x/../a/b" are the same file, too, and ".." at the root stays there. A name with a NUL is an error.
//   - Errors. Fs methods return *fs.PathError or *os.LinkError with the name as passed, which match fs.ErrNotExist,
//     fs.ErrExist or fs.ErrClosed where those of package os do. If there is an error, the File is nil.
//   - Handles. They belong to the file, not to its name, and every method of a closed one fails with fs.ErrClosed.
//   - Times, modes and symbolic links like those of package os.
//
// It does not demand what differs between the platforms of package os: error texts, errno values, whether permission
// bits are enforced (they are not for root), atime, and what POSIX does not specify, such as O_TRUNC with O_RDONLY.
//
// An Fs that lacks a capability declares it in [Subject.Incapable] with a reason. The cases that need it are counted
// and named in one line of the log; they are not skipped tests.
package aferotest
