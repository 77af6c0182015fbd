// Package handle has what a program holds when it has opened something: open files and directories with the semantics of
// package os, and with the methods of *os.File that afero.File lacks. What they read and write is given to them.
package handle
