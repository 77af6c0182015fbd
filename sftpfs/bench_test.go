package sftpfs_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

const benchSize = 32 << 20

// BenchmarkOpenSSH copies a file to and from OpenSSH on loopback, with pkg/sftp alone for comparison.
func BenchmarkOpenSSH(b *testing.B) {
	server := opensshtest.Start(b, opensshtest.Options{})
	fsys := newFs(b, openSSHConfig(server))
	client := dialOpenSSH(b, server)
	content := random(benchSize)
	upload := func(b *testing.B, f io.WriteCloser, err error) {
		require.NoError(b, err)
		n, err := io.Copy(f, bytes.NewReader(content))
		require.NoError(b, err)
		require.EqualValues(b, benchSize, n)
		require.NoError(b, f.Close())
	}
	download := func(b *testing.B, f io.ReadCloser, err error) {
		require.NoError(b, err)
		n, err := io.Copy(io.Discard, f)
		require.NoError(b, err)
		require.EqualValues(b, benchSize, n)
		require.NoError(b, f.Close())
	}
	for name, run := range map[string]func(b *testing.B){
		"upload": func(b *testing.B) {
			f, err := fsys.Create("up")
			upload(b, f, err)
		},
		"upload-pkg-sftp": func(b *testing.B) {
			f, err := client.OpenFile(path.Join(server.Root, "up"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
			upload(b, f, err)
		},
		"download": func(b *testing.B) {
			f, err := fsys.Open("down")
			download(b, f, err)
		},
		"download-pkg-sftp": func(b *testing.B) {
			f, err := client.Open(path.Join(server.Root, "down"))
			download(b, f, err)
		},
	} {
		require.NoError(b, os.WriteFile(path.Join(server.Root, "down"), content, 0o644))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchSize)
			for b.Loop() {
				run(b)
			}
		})
	}
}

// BenchmarkLongLine copies a file to and from OpenSSH over a line with a round trip of 100 ms.
func BenchmarkLongLine(b *testing.B) {
	const size = 256 << 20
	server := opensshtest.Start(b, opensshtest.Options{})
	content := random(size)
	for _, channels := range []int{1, 8} {
		_, cfg := far(b, openSSHConfig(server), link.Options{RoundTrip: 100 * time.Millisecond})
		cfg.MaxChannels = channels
		fsys := newFs(b, cfg)
		b.Run(fmt.Sprintf("upload/%d", channels), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				f, err := fsys.Create("f")
				require.NoError(b, err)
				_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
				require.NoError(b, err)
				require.NoError(b, f.Close())
			}
		})
		b.Run(fmt.Sprintf("download/%d", channels), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				f, err := fsys.Open("f")
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, f)
				require.NoError(b, err)
				require.NoError(b, f.Close())
			}
		})
	}
}
