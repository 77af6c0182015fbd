package sftpfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// An Fs is a directory on an SFTP server. It is safe for concurrent use.
type Fs struct {
	ctx    context.Context // ends the calls, not the Fs
	conns  source
	learnt *learnt

	abandoned *abandon.Calls // whose context has ended

	asideAllowed bool   // Config.AllowNonAtomicReplace
	identity     string // "": not known
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns the Fs that cfg describes, or what is wrong with cfg. It reads key files (asking for their
// passphrases) and known hosts, and does not connect: the first call that needs the server does.
func New(cfg Config) (*Fs, error) {
	d, err := newDialer(cfg, 0)
	if err != nil {
		return nil, fmt.Errorf("sftpfs: %w", err)
	}
	m := newManager(d, d.cfg.MaxConnections, d.cfg.MaxChannels)
	d.look = m.scaleDown
	f := newFs(m)
	f.asideAllowed = cfg.AllowNonAtomicReplace
	f.identity = d.cfg.identity()
	return f, nil
}

// NewClient returns an Fs over a client that the caller keeps and closes; root is as Config.Root. Close ends the
// use of the Fs, not the client. A connection that is lost is not replaced, and only the owner of the client can
// notice a server that is silent: give calls a context that ends.
func NewClient(c *sftp.Client, root string) *Fs {
	return newFs(&borrowed{client: c, root: root})
}

func newFs(conns source) *Fs {
	return &Fs{ctx: context.Background(), conns: conns, learnt: new(learnt), abandoned: new(abandon.Calls)}
}

// Connect connects, unless there is a live connection. It fails with ErrUnavailable, ErrHostKey or ErrAuth, with
// ctx's error when that ends first, and with fs.ErrClosed after Close.
func (f *Fs) Connect(ctx context.Context) error {
	s, err := f.initialized(ctx)
	if err == nil {
		s.release()
	}
	return err
}

// initialized returns a session on which the server has said what it offers, which the caller releases.
func (f *Fs) initialized(ctx context.Context) (*session, error) {
	s, err := f.conns.get(ctx)
	if err != nil {
		return nil, err
	}
	_, err = abandon.Await(ctx, nil, func() (struct{}, error) { return struct{}{}, s.awaitInit() }, nil)
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// WithContext returns the same Fs whose calls, and those of the files it opens, end when ctx does, with an error
// that matches ctx.Err(). A call that changes the server and is ended so may or may not have its effect. The
// connection is shared and stays.
func (f *Fs) WithContext(ctx context.Context) afero.Fs {
	same := *f
	same.ctx = ctx
	return &same
}

// session returns a live session, which the caller releases.
func (f *Fs) session() (*session, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	return f.conns.get(f.ctx)
}

// Close ends the connections. Calls that wait, and later calls, fail with fs.ErrClosed; so do those of open files.
// Closing again does nothing.
func (f *Fs) Close() error {
	f.conns.close()
	return nil
}

// Identity tells the directory on the server from others: sftp://user@host:port/root, as Config and SSHConfig have it,
// with /~ for the login directory. The host's name is not resolved. It is "" for an Fs of NewClient. Packages cachefs and
// syncfs record it.
func (f *Fs) Identity() string { return f.identity }

// Name returns "sftpfs".
func (f *Fs) Name() string { return "sftpfs" }

// Stat follows links.
func (f *Fs) Stat(name string) (fs.FileInfo, error) {
	fi, err := look(f, name, remote.stat)
	return fi, pathError("stat", name, err)
}

// LstatIfPossible does not follow a link that is the last part of name. Its second result is always true.
func (f *Fs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := look(f, name, remote.lstat)
	return fi, true, pathError("lstat", name, err)
}

// look runs a request on name that may be repeated.
func look[T any](f *Fs, name string, op func(remote, string) (T, error)) (T, error) {
	p, err := clean(name)
	if err != nil {
		var zero T
		return zero, err
	}
	return call(f, harmless, func(r remote) (T, error) { return op(r, p) }, nil)
}

// change runs a request on name that must not be repeated.
func change(f *Fs, op, name string, do func(r remote, p string) error) error {
	p, err := clean(name)
	if err == nil {
		err = run(f, once, func(r remote) error { return do(r, p) })
	}
	return pathError(op, name, err)
}

// Create opens the named file for reading and writing, made or emptied.
func (f *Fs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open opens the named file or directory for reading.
func (f *Fs) Open(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDONLY, 0)
}
