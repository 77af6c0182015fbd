// Package soak attacks the whole: several processes, each with its own local directory, work on one OpenSSH server over
// links that are cut and frozen, while processes and sessions are killed and suspended and clocks jump.
//
//	go test -timeout 0 ./internal/soak -run TestSoak -args -for 1h -seed 7
//
// Each client has a directory on the server that only it changes. It makes every change in a plain directory as well,
// the oracle, so that at any time its view is known, and at the end what the server must have. The clients read each
// other's directories, and all of them and another program write into a shared one, where conflicts are expected. Files
// describe themselves, so that everybody who reads one, and an observer who looks at the server all the time, sees
// whether it is whole.
package soak
