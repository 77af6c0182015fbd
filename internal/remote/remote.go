// Package remote makes requests to a remote, an afero.Fs, and interprets its answers.
//
// An answer has three values: exists, absent or unknown. Only an error that matches fs.ErrNotExist or syscall.ENOTDIR
// means absent. All calls end with a context, even if the remote does not support contexts: then a running call is
// abandoned, and if it may change the remote, [Remote.Settle] waits for it.
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

// Remote is a remote, bound to a context. It is safe for concurrent use.
type Remote struct {
	*shared
	ctx context.Context
	fs  afero.Fs // base, bound to ctx
}

// shared is the state of a remote that is common to all contexts.
type shared struct {
	base       afero.Fs
	rootName   string        // the name of the root
	namePrefix string        // precedes a path below the root
	abandoned  abandon.Calls // calls that may still change the remote
}

// New returns a remote whose calls end when ctx does.
func New(ctx context.Context, base afero.Fs) *Remote {
	if memory, ok := base.(*afero.MemMapFs); ok {
		base = memremote.Of(memory)
	}
	s := &shared{base: base, rootName: "/", namePrefix: "/"}
	if _, ok := base.(afero.FromIOFS); ok { // io/fs has no names with a leading slash
		s.rootName, s.namePrefix = ".", ""
	}
	return s.bind(ctx)
}

// Bind returns the same remote with another context: its calls end when ctx does. If the remote does not support
// contexts, a running call is then abandoned.
func (r *Remote) Bind(ctx context.Context) *Remote { return r.bind(ctx) }

func (s *shared) bind(ctx context.Context) *Remote {
	var bound afero.Fs = abandoning{ctx, s.base, &s.abandoned}
	if b, ok := s.base.(contract.ContextBinder); ok {
		bound = b.WithContext(ctx)
	}
	return &Remote{shared: s, ctx: ctx, fs: bound}
}

// Base returns the remote that was given to New, without a context.
func (r *Remote) Base() afero.Fs { return r.base }

// Fs returns the remote, bound to r's context. It takes names of [Remote.Name]; pass its errors to [Error].
func (r *Remote) Fs() afero.Fs { return r.fs }

// Name returns the remote's name of a path.
func (r *Remote) Name(path string) string {
	if path == "." {
		return r.rootName
	}
	return r.namePrefix + path
}

// Spelled records how the program spells a name: a file system in memory takes "a" and "/a" for two names.
func (r *Remote) Spelled(name string) {
	if memory, ok := r.base.(*memremote.Fs); ok {
		memory.Spelled(name)
	}
}

// HasLinks reports whether the remote supports symbolic links.
func (r *Remote) HasLinks() bool {
	_, ok := r.base.(afero.Linker)
	return ok
}

// Settle waits until no abandoned call that changes the remote is running. It returns nil, or ctx's error.
func (r *Remote) Settle(ctx context.Context) error {
	if s, ok := r.base.(contract.Settler); ok {
		if err := s.Settle(ctx); err != nil {
			return err
		}
	}
	return r.abandoned.Wait(ctx)
}
