package download

import (
	"context"
	"sync"

	"github.com/spf13/afero"
)

// mostFiles is how many more files a download opens if the remote's file can't be read in several places at once.
const mostFiles = 16

// filePool holds open files of one version on the remote. Each is used by one reader at a time.
type filePool struct {
	slots chan struct{}   // holds a token for each file in use
	free  chan afero.File // files that are not in use

	mu     sync.Mutex // guards the fields below
	made   int        // files in the pool or in use
	closed bool
}

func newFilePool() *filePool {
	return &filePool{slots: make(chan struct{}, mostFiles), free: make(chan afero.File, mostFiles+1)} // add may add one
}

// use calls do with a file that nobody else uses. If none is free, it opens one. If that fails, because the file was
// renamed or replaced, it waits for a file in use; if there is none, the error is an openError.
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
	defer p.giveBack(f)
	return do(f)
}

// giveBack puts a file into the pool. If the pool was closed meanwhile, because nobody waits for the reader any more, it
// closes the file.
func (p *filePool) giveBack(f afero.File) {
	p.free <- f
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		p.close()
	}
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

// close closes the files, those in use when they are given back.
func (p *filePool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for {
		select {
		case f := <-p.free:
			_ = f.Close()
			p.mu.Lock()
			p.made--
			p.mu.Unlock()
		default:
			return
		}
	}
}

// openError is the error of opening a file.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }
