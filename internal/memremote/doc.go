// Package memremote makes an [afero.MemMapFs] a remote. Programs use one in their tests instead of a server, but it has
// rules of its own: "a" and "/a" are two files, a directory that is not empty can be removed, parents appear by
// themselves, reads move the offset, and an fs.FileInfo changes under its holder.
//
// An [Fs] gives it the semantics of package os, as package localdir does for a local directory: a name is found under
// both spellings, and a new entry is spelled like its surroundings, or like the program's names. It has no symbolic
// links.
package memremote
