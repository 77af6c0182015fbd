// Package remote asks a remote, an afero.Fs, and says what its answers mean.
//
// An answer has three values: there is something, there is nothing, or nothing is known. Only an error that matches
// fs.ErrNotExist says that there is nothing. All calls end with a context, also those of a remote that knows none: what is
// under way then is given up, and if it may change the remote, [Remote.Settle] waits for it.
//
// Paths are clean and relative to the root, which is ".".
package remote

import (
	"context"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/internal/memremote"
)

// Remote is a remote, bound to a context. Safe for concurrent use.
type Remote struct {
	*shared
	ctx context.Context
	fs  afero.Fs // base, bound to ctx
}

// shared is what all that are bound to one remote share.
type shared struct {
	base       afero.Fs
	rootName   string        // what base calls its root
	namePrefix string        // and puts before names below it
	abandoned  abandon.Calls // that may still change the remote
}

// New returns a remote whose calls end when ctx does.
func New(ctx context.Context, base afero.Fs) *Remote {
	if memory, ok := base.(*afero.MemMapFs); ok {
		base = memremote.Of(memory)
	}
	s := &shared{base: base, rootName: "/", namePrefix: "/"}
	if _, ok := base.(afero.FromIOFS); ok { // io/fs knows no rooted names
		s.rootName, s.namePrefix = ".", ""
	}
	return s.bind(ctx)
}

// Bind returns the same remote, whose calls end when ctx does. One that cannot end its calls is left alone with the one that
// is under way.
func (r *Remote) Bind(ctx context.Context) *Remote { return r.bind(ctx) }

func (s *shared) bind(ctx context.Context) *Remote {
	var bound afero.Fs = abandoning{ctx, s.base, &s.abandoned}
	if b, ok := s.base.(contract.ContextBinder); ok {
		bound = b.WithContext(ctx)
	}
	return &Remote{shared: s, ctx: ctx, fs: bound}
}

// Base is the remote as it was given, bound to no context.
func (r *Remote) Base() afero.Fs { return r.base }

// Fs is the remote, bound to r's context, for names of [Remote.Name]. Its errors are for [Error].
func (r *Remote) Fs() afero.Fs { return r.fs }

// Name is the name by which the remote knows a path.
func (r *Remote) Name(path string) string {
	if path == "." {
		return r.rootName
	}
	return r.namePrefix + path
}

// Spelled notes how the program spells a name: a file system in memory takes "a" and "/a" for two names.
func (r *Remote) Spelled(name string) {
	if memory, ok := r.base.(*memremote.Fs); ok {
		memory.Spelled(name)
	}
}

// HasLinks says whether the remote knows symbolic links.
func (r *Remote) HasLinks() bool {
	_, ok := r.base.(afero.Linker)
	return ok
}

// Settle returns nil once no call that changes the remote is under way after its context has ended, or ctx's error.
func (r *Remote) Settle(ctx context.Context) error {
	if s, ok := r.base.(contract.Settler); ok {
		if err := s.Settle(ctx); err != nil {
			return err
		}
	}
	return r.abandoned.Wait(ctx)
}
