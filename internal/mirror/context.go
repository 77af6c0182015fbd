package mirror

import (
	"context"
	"io/fs"
	"runtime"

	"github.com/sftpsyncer/go-syncfs/internal/progress"
)

// callContext ends with a caller's context or at Close, whichever comes first. In the latter case its error is
// fs.ErrClosed.
type callContext struct {
	context.Context                 // the caller's
	ended           context.Context // ends with either
}

func (c *callContext) Done() <-chan struct{} { return c.ended.Done() }

func (c *callContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if c.ended.Err() != nil {
		return fs.ErrClosed
	}
	return nil
}

// AfterFunc is the method that package context looks for in contexts of other types. Without it, each derived context
// costs a goroutine.
func (c *callContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.ended, f) }

// untilClose returns a context that ends with ctx or at Close. It releases its resources when it is garbage collected.
func (m *state) untilClose(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return &callContext{ctx, m.stop}
	}
	ended, cancel := context.WithCancel(context.Background())
	stops := []func() bool{context.AfterFunc(ctx, cancel), context.AfterFunc(m.stop, cancel)}
	c := &callContext{ctx, ended}
	runtime.AddCleanup(c, func(stops []func() bool) {
		for _, stop := range stops {
			stop()
		}
	}, stops)
	return c
}

// bind returns the same mirror with calls that end when ctx ends. ctx must end at Close.
func (m *FS) bind(ctx context.Context, meter *progress.Meter) *FS {
	return &FS{state: m.state, ctx: ctx, remote: m.remote.Bind(ctx), meter: meter}
}

// With returns the same mirror with calls that end when ctx ends, or at Close.
func (m *FS) With(ctx context.Context) *FS {
	return m.bind(m.untilClose(ctx), m.meter)
}

// Begin makes Close wait until end is called. The caller calls end when it no longer uses the mirror and the local
// directory, and before it waits for a function of the program. After Close the error is fs.ErrClosed.
func (m *FS) Begin() (end func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed() {
		return nil, fs.ErrClosed
	}
	m.workers.Add(1)
	return m.workers.Done, nil
}

// awaited calls do and makes Close wait for it. After Close it returns fs.ErrClosed.
func (m *FS) awaited(do func() error) error {
	end, err := m.Begin()
	if err != nil {
		return err
	}
	defer end()
	return do()
}

// Callback calls a function of the program in the middle of a call. It returns the error of m's context as soon as that ends.
// So the function may call Close: Close waits for the call, but not for the function.
func Callback[T any](m *FS, f func() T) (T, error) {
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case v := <-done:
		return v, nil
	case <-m.ctx.Done():
		var zero T
		return zero, m.ctx.Err()
	}
}
