// Package aferotest tests implementations of [afero.Fs] against the semantics
// of package os.
//
// [Run] is a conformance suite of several hundred named cases. [Differential]
// applies random sequences of operations to a subject and to a plain directory
// and compares every answer and the trees that result. [OS] is that plain
// directory: a small afero.Fs over package os, which passes the suite first.
//
// What the suite demands is what a program written against afero.Fs relies on:
//
//   - Names. "a/b" and "/a/b" are the same file below the root of the Fs. Names
//     are cleaned lexically, so "a/./b", "a//b" and "x/../a/b" are that file as
//     well, and ".." at the root stays there. A name with a NUL is an error.
//   - Errors. Fs methods return *fs.PathError or *os.LinkError with the name as
//     it was passed, which errors.Is finds to be fs.ErrNotExist, fs.ErrExist or
//     fs.ErrClosed where package os says so. A File beside an error is nil.
//   - Handles. They bind to the file, not to its name, and every method of a
//     closed one fails with fs.ErrClosed.
//   - Times, modes and links as package os has them.
//
// What differs between the platforms of package os is not demanded: error
// texts, errno values, whether permission bits are enforced (they are not for
// root), atime, and what is unspecified by POSIX, such as O_TRUNC with O_RDONLY.
//
// An Fs that lacks something declares it in [Subject.Incapable] with a reason.
// Such cases are counted and named in one line of the log; they are not skipped
// tests.
package aferotest
