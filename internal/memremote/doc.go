// Package memremote makes an [afero.MemMapFs] a remote. Programs use one in their tests in the place of a server, but
// it has rules of its own: "a" and "/a" are two files, a directory that is not empty can be removed, parents appear by
// themselves, reads move the offset, an fs.FileInfo changes under its holder.
//
// An [Fs] shows it with the semantics of package os, as package localdir does for a local one: a name is found under
// either spelling, and what is made is spelled as what is around it, or as the program does. Links it has none.
package memremote
