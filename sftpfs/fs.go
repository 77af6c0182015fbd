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

	abandoned *abandon.Calls // calls whose context has ended

	asideAllowed bool   // Config.AllowNonAtomicReplace
	identity     string // see Identity; "": unknown
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns the Fs that cfg describes, or an error that says what is wrong with cfg. It reads key files (and asks for
// their passphrases), ssh_config files and known hosts. It does not connect: the first call that needs the server does.
func New(cfg Config) (*Fs, error) {
	d, err := newDialer(cfg, 0)
	if err != nil {
		return nil, fmt.Errorf("sftpfs: %w", err)
	}
	m := newManager(d, d.learnt, d.cfg.MaxConnections, d.cfg.MaxChannels)
	d.look = m.scaleDown
	f := newFs(m, d.learnt)
	f.asideAllowed = cfg.AllowNonAtomicReplace
	f.identity = d.cfg.identity()
	return f, nil
}

// NewClient returns an Fs over a client that the caller keeps and closes; root is like Config.Root. Close ends the use
// of the Fs, not the client. A lost connection is not replaced, and only the owner of the client can notice a silent
// server, so give calls a context that ends.
func NewClient(c *sftp.Client, root string) *Fs {
	b := &borrowed{client: c, root: root, learnt: newLearnt()}
	return newFs(b, b.learnt)
}

func newFs(conns source, l *learnt) *Fs {
	return &Fs{ctx: context.Background(), conns: conns, learnt: l, abandoned: new(abandon.Calls)}
}

// Connect connects, unless there is a live connection. It fails with ErrUnavailable, ErrHostKey or ErrAuth, with ctx's
// error if ctx ends first, and with fs.ErrClosed after Close.
func (f *Fs) Connect(ctx context.Context) error {
	s, err := f.initialized(ctx)
	if err == nil {
		s.release()
	}
	return err
}

// initialized returns a session on which the server's VERSION packet has arrived. The caller releases it.
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

// WithContext returns the same Fs, but its calls, and those of the files that it opens, end when ctx ends, with an
// error that matches ctx.Err(). If such a call changes the server, the change may or may not take effect. The
// connection is shared and stays.
func (f *Fs) WithContext(ctx context.Context) afero.Fs {
	same := *f
	same.ctx = ctx
	return &same
}

// session returns a live session. The caller releases it.
func (f *Fs) session() (*session, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	return f.conns.get(f.ctx)
}

// Close closes the connections. Waiting and later calls fail with fs.ErrClosed, also those of open files. Closing again
// does nothing.
func (f *Fs) Close() error {
	f.conns.close()
	return nil
}

// Identity identifies the directory on the server: sftp://user@host:port/root, as given by Config and SSHConfig, with
// /~ for the login directory. The host name is not resolved. It is "" for an Fs of NewClient. Packages cachefs and
// syncfs record it.
func (f *Fs) Identity() string { return f.identity }

// Name returns "sftpfs".
func (f *Fs) Name() string { return "sftpfs" }

// Stat returns the attributes of name. It follows symbolic links.
func (f *Fs) Stat(name string) (fs.FileInfo, error) {
	fi, err := look(f, name, remote.stat)
	return fi, pathError("stat", name, err)
}

// LstatIfPossible returns the attributes of name. It does not follow a symbolic link that is the last element of name.
// The second result is always true.
func (f *Fs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := look(f, name, remote.lstat)
	return fi, true, pathError("lstat", name, err)
}

// look runs op on name. op changes nothing, so it may be repeated.
func look[T any](f *Fs, name string, op func(remote, string) (T, error)) (T, error) {
	p, err := clean(name)
	if err != nil {
		var zero T
		return zero, err
	}
	return call(f, harmless, func(r remote) (T, error) { return op(r, p) }, nil)
}

// change runs do on name. do must not be repeated.
func change(f *Fs, op, name string, do func(r remote, p string) error) error {
	p, err := clean(name)
	if err == nil {
		err = run(f, once, func(r remote) error { return do(r, p) })
	}
	return pathError(op, name, err)
}

// changeUnless is change, unless the server has refused requests of this kind, which do sends.
func changeUnless(f *Fs, kind requestKind, op, name string, do func(r remote, p string) error) error {
	return change(f, op, name, func(r remote, p string) error {
		return f.learnt.unlessRefused(kind, func() error { return do(r, p) })
	})
}

// Create creates or truncates the named file, and opens it for reading and writing.
func (f *Fs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open opens the named file or directory for reading.
func (f *Fs) Open(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDONLY, 0)
}
