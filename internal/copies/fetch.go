package copies

import (
	"context"
	"errors"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// fetchAttempts bounds the attempts of a fetch while the remote's version keeps changing.
const fetchAttempts = 3

// Fetch downloads a node's bytes as its copy, or joins the download that does. It returns nil without a copy if the node has
// changed meanwhile, so that the caller has to look again.
func (set *Set) Fetch(ctx context.Context, meter *progress.Meter, n *tree.Node, e Expectation) error {
	for attempt := 1; ; attempt++ {
		var name string
		var size int64
		a, err := set.join(ctx, n, e, func(a *shared) {
			a.waiting++
			name, size = n.Path(), n.Meta.Size
		})
		if a == nil {
			return err
		}
		gauge := meter.Begin(name, size, a.Arrived)
		a.Want()
		select {
		case <-a.Closed:
			err = a.Result()
		case <-ctx.Done():
			err = ctx.Err()
		}
		gauge.End()
		a.leave(&a.waiting, false)
		if errors.Is(err, download.ErrSuperseded) {
			return nil // the caller looks again
		}
		if !errors.Is(err, download.ErrChanged) || attempt == fetchAttempts {
			return err
		}
	}
}
