package syncfs

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// mailboxes are servers that remove a file when it was read to its end.
var mailboxes = map[string][]sftptest.Character{
	"mailbox":                  {sftptest.Mailbox()},
	"mailbox, OpenSSH by name": {sftptest.Mailbox(), func(o *sftptest.Options) { o.Version = "SSH-2.0-OpenSSH_9.6" }},
	"mailbox, one file":        {sftptest.Mailbox(), sftptest.OneFile()},
}

// eachMailbox tests with messages of several sizes.
func eachMailbox(t *testing.T, opts Options, test func(p *partner, messages map[string]string, opens *atomic.Int64)) {
	for name, characters := range mailboxes {
		for _, revalidate := range []string{"never", "always"} {
			t.Run(name+", revalidate "+revalidate, func(t *testing.T) {
				t.Parallel()
				opens := new(atomic.Int64)
				count := func(o *sftptest.Options) {
					o.Hooks = append(o.Hooks, func(r *sftptest.Request) sftptest.Answer {
						a := r.Next()
						if r.Kind == sftptest.Open && a.Status == sftptest.StatusOK {
							opens.Add(1)
						}
						return a
					})
				}
				opts := opts
				if revalidate == "always" {
					opts.Cache.Revalidate = cachefs.Always
				}
				p := newPartner(t, &opts, append([]sftptest.Character{count}, characters...)...)
				messages := map[string]string{"empty": "", "small": "a message", "second": strings.Repeat("x", 40_000), "large": bulk(1, 3)}
				for name, text := range messages {
					require.NoError(t, afero.WriteFile(p.server.Fs(), "/"+name, []byte(text), 0o644))
				}
				test(p, messages, opens)
			})
		}
	}
}

// Each message is opened once and read whole. Then it may be removed.
func TestMailboxRead(t *testing.T) {
	t.Parallel()
	eachMailbox(t, Options{}, func(p *partner, messages map[string]string, opens *atomic.Int64) {
		for name, text := range messages {
			before := opens.Load()
			got, err := afero.ReadFile(p.fs, name)
			require.NoError(p, err)
			require.True(p, text == string(got))
			require.LessOrEqual(p, opens.Load(), before+1)
			if p.opts.Cache.Revalidate == 0 {
				got, err = afero.ReadFile(p.fs, name)
				require.NoError(p, err, "its copy")
				require.True(p, text == string(got))
				require.NoError(p, p.fs.Remove(name))
			} else if err := p.fs.Remove(name); err != nil {
				require.ErrorIs(p, err, fs.ErrNotExist)
			}
		}
		p.pushes()
		p.restart()
		p.pushes()
		infos, err := afero.ReadDir(p.fs, ".")
		require.NoError(p, err)
		for _, fi := range infos {
			require.Equal(p, "empty", fi.Name())
		}
	})
}

// Pull downloads each message once. A message for which there is no room stays on the server.
func TestMailboxPull(t *testing.T) {
	t.Parallel()
	for _, most := range []int64{0, 1 << 20} {
		eachMailbox(t, Options{Cache: cachefs.Options{MaxBytes: most}}, func(p *partner, messages map[string]string, opens *atomic.Int64) {
			report, err := p.fs.Pull(p.Context(), "/")
			if most == 0 {
				require.NoError(p, err)
			}
			for _, result := range report.Results {
				require.True(p, result.Err == nil || result.Name == "large", "%v", result)
			}
			require.LessOrEqual(p, opens.Load(), int64(len(messages)))
			for name, text := range messages {
				got, err := afero.ReadFile(p.local, name)
				if err != nil {
					got, err = afero.ReadFile(p.server.Fs(), name)
				}
				require.NoError(p, err, name)
				require.True(p, text == string(got))
			}
		})
	}
}

// What is pinned of a mailbox stays, whatever else needs room. A message for which there is no room stays on the server.
func TestMailboxPin(t *testing.T) {
	t.Parallel()
	eachMailbox(t, Options{Cache: cachefs.Options{MaxBytes: 41_000}}, func(p *partner, messages map[string]string, _ *atomic.Int64) {
		for name := range messages {
			if err := p.fs.Pin(p.Context(), name); err != nil {
				require.Equal(p, "large", name)
			}
		}
		for name, text := range messages {
			got, err := afero.ReadFile(p.local, name)
			if name == "large" {
				got, err = afero.ReadFile(p.server.Fs(), name)
			}
			require.NoError(p, err, name)
			require.True(p, text == string(got))
		}
	})
}
