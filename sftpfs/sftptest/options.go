package sftptest

import (
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
)

// Options configure a Server. The zero value of each field is its default, and a nil pointer selects all defaults.
type Options struct {
	// Fs is the tree that is served. Nil: a new tree in memory, which has symbolic links, modes and times. Symbolic
	// links are served if Fs is an afero.Symlinker.
	Fs afero.Fs

	// Addr is the loopback address to listen on; "": a free port of 127.0.0.1.
	Addr string

	// User is the only user who may log in; "": "test".
	User string

	// Password logs User in, also by keyboard-interactive; "": no password does.
	Password string

	// AuthorizedKeys log User in. So does a key that the server makes for itself, which Config holds.
	AuthorizedKeys []ssh.PublicKey

	// HostKeys are the server's host keys; nil: a new ed25519 key.
	HostKeys []ssh.Signer

	// Version is the version that the server sends when a client connects, for example "SSH-2.0-OpenSSH_9.9"; "": the
	// version of golang.org/x/crypto/ssh.
	Version string

	// Extensions are the protocol extensions that the server announces, with their data. Nil: PosixRename with "1". The
	// server executes only PosixRename, announced or not. A Hook may refuse it, and answer requests for others. See
	// Announce and Restricted.
	Extensions map[string]string

	// Latency is added to each round trip, half of it each way.
	Latency time.Duration

	// Bandwidth is in bytes per second, for each direction of each connection; 0: no limit.
	Bandwidth int64

	// MaxLogins is how many connections may be logged in at a time; 0: no limit. The server ends one more right after
	// its login.
	MaxLogins int

	// MaxChannels is how many channels a connection may have open at a time; 0: no limit. The server refuses to open
	// one more, as OpenSSH does with MaxSessions.
	MaxChannels int

	// MaxHandles is how many files and directories a connection may have open at a time, on all its channels; 0: no
	// limit. The server refuses to open one more with StatusFailure.
	MaxHandles int

	// MaxRequests is how many requests of a channel may wait for their answers at a time; 0: no limit. The server ends
	// the connection when it receives one more. It counts those that it has received and not yet answered. See
	// FewRequests.
	MaxRequests int

	// MaxPacket is the length in bytes of the longest packet that the server takes and sends; 0: that of OpenSSH, 256
	// KiB. A longer one ends the channel.
	MaxPacket int

	// Hooks decide how each request is answered. See OnRequest.
	Hooks []Hook

	umask      *fs.FileMode                 // nil: defaultUmask
	oneChannel bool                         // a second channel ends the connection
	openers    []func(*tree, opener) opener // the first one wraps Fs
	taken      *takenFiles                  // by DropFolder
}

// defaultUmask is the usual umask.
const defaultUmask = 0o022

// An opener opens a file as afero.Fs.OpenFile does.
type opener func(name string, flag int, perm fs.FileMode) (afero.File, error)

// setDefaults sets what is left out.
func (o *Options) setDefaults() error {
	if o.Fs == nil {
		o.Fs = newMemFs()
	}
	if o.Addr == "" {
		o.Addr = freePort
	}
	if o.User == "" {
		o.User = "test"
	}
	if o.HostKeys == nil {
		key, err := newKey()
		if err != nil {
			return err
		}
		o.HostKeys = []ssh.Signer{key}
	}
	o.Extensions = o.extensions()
	if o.MaxPacket == 0 {
		o.MaxPacket = defaultMaxPacket
	}
	return nil
}

// mostData returns the largest number of bytes in a reply to a Read.
func (o *Options) mostData() int64 { return int64(max(1, o.MaxPacket-packetOverhead)) }

// extensions returns a copy of what the server announces.
func (o *Options) extensions() map[string]string {
	if o.Extensions == nil {
		return map[string]string{string(PosixRename): "1"}
	}
	return maps.Clone(o.Extensions)
}

// hide removes the extensions for which hidden returns true from those that the server announces.
func (o *Options) hide(hidden func(Kind) bool) {
	o.Extensions = o.extensions()
	maps.DeleteFunc(o.Extensions, func(name, _ string) bool { return hidden(Kind(name)) })
}

// tree returns the tree that is served.
func (o *Options) tree() *tree {
	t := &tree{fs: o.Fs, umask: defaultUmask, openFile: o.Fs.OpenFile}
	if o.umask != nil {
		t.umask = *o.umask
	}
	for _, wrap := range o.openers {
		t.openFile = wrap(t, t.openFile)
	}
	return t
}

// osFlags returns the flags of package os for those of Open. It leaves FlagAppend to the handle, because not every Fs
// supports it well.
func (f Flags) osFlags() int {
	flag := os.O_RDONLY
	switch {
	case f&FlagRead != 0 && f&FlagWrite != 0:
		flag = os.O_RDWR
	case f&FlagWrite != 0:
		flag = os.O_WRONLY
	}
	for bit, osFlag := range map[Flags]int{
		FlagCreate: os.O_CREATE, FlagExclusive: os.O_EXCL, FlagTruncate: os.O_TRUNC,
	} {
		if f&bit != 0 {
			flag |= osFlag
		}
	}
	return flag
}
