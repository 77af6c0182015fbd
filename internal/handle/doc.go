// Package handle implements open files and directories with the semantics of package os, and with the methods of
// *os.File that afero.File lacks. Its users supply the content: a [Content] or a [Listed].
package handle
