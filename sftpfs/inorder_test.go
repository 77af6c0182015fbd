package sftpfs_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// WRITEs leave in the order of their offsets, however the program writes.
func TestWritesInOrder(t *testing.T) {
	t.Parallel()
	content := random(3 << 20)
	for name, write := range map[string]func(f afero.File) error{
		"Write":   func(f afero.File) error { _, err := f.Write(content); return err },
		"WriteAt": func(f afero.File) error { _, err := f.WriteAt(content, 0); return err },
		"copy":    func(f afero.File) error { _, err := io.Copy(f, bytes.NewReader(content)); return err },
		"copy of unknown length": func(f afero.File) error {
			_, err := io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
			return err
		},
	} {
		for _, trip := range []time.Duration{0, 15 * time.Millisecond} {
			for server, characters := range map[string][]sftptest.Character{
				"in order":               {sftptest.InOrder()},
				"in order, says OpenSSH": {sftptest.InOrder(), version(openSSHVersion)},
			} {
				t.Run(fmt.Sprint(name, " ", trip, " ", server), func(t *testing.T) {
					t.Parallel()
					server := sftptest.Start(t, characters...)
					_, cfg := far(t, server.Config(), link.Options{RoundTrip: trip})
					fsys := newFs(t, cfg)
					var all errgroup.Group
					for i := range 3 {
						name := fmt.Sprint("f", i)
						all.Go(func() error {
							f, err := fsys.Create(name)
							if err != nil {
								return err
							}
							if err := write(f); err != nil {
								return err
							}
							return f.Close()
						})
					}
					require.NoError(t, all.Wait())
					for i := range 3 {
						got, err := afero.ReadFile(server.Fs(), fmt.Sprint("/f", i))
						require.NoError(t, err)
						require.True(t, bytes.Equal(content, got))
					}
				})
			}
		}
	}
}
