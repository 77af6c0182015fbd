package download

import (
	"context"
	"sync"

	"github.com/spf13/afero"
)

// mostFiles is how many files a download opens beside the first, where one can't be read at several places.
const mostFiles = 16

// filePool has files of the remote, of one version, of which each is read at one place at a time.
type filePool struct {
	slots chan struct{}   // holds a token for each that is in use
	free  chan afero.File // those that are not

	mu   sync.Mutex
	made int // how many there are; guarded by mu
}

func newFilePool() *filePool {
	return &filePool{slots: make(chan struct{}, mostFiles), free: make(chan afero.File, mostFiles)}
}

// use calls do with a file that nobody else uses. If there is none it is opened; if that fails, because the file was renamed
// or replaced since, one that is in use is waited for. The error is an openError if there is none.
func (p *filePool) use(ctx context.Context, open func() (afero.File, error), do func(afero.File) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	f, err := p.take(ctx, open)
	if err != nil {
		return err
	}
	err = do(f)
	p.free <- f
	return err
}

func (p *filePool) take(ctx context.Context, open func() (afero.File, error)) (afero.File, error) {
	select {
	case f := <-p.free:
		return f, nil
	default:
	}
	f, err := open()
	p.mu.Lock()
	if err == nil {
		p.made++
	}
	made := p.made
	p.mu.Unlock()
	switch {
	case err == nil:
		return f, nil
	case made == 0:
		return nil, &openError{err}
	}
	select {
	case f := <-p.free:
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// add adds an open file.
func (p *filePool) add(f afero.File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	p.free <- f
}

// close closes the files. None is in use.
func (p *filePool) close() {
	for {
		select {
		case f := <-p.free:
			_ = f.Close()
		default:
			return
		}
	}
}

// openError is that of a file which could not be opened.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }
