package sftptest

import "time"

// OneFile lets each connection have one file or directory open at a time, and refuses more with StatusFailure. IBM Sterling does
// so.
func OneFile() Character { return FewFiles(1) }

// FewFiles lets each connection have n files and directories open at a time, and refuses more with StatusFailure. SFTPGo allows
// 20.
func FewFiles(n int) Character { return func(o *Options) { o.MaxHandles = n } }

// OneChannel ends a connection on which a second channel is opened, even if the first is closed by then. Servers that expect one
// session per connection do so. With Options.MaxChannels, a server only refuses the channel.
func OneChannel() Character { return func(o *Options) { o.oneChannel = true } }

// FewRequests ends a connection on which more than n requests of a channel wait for their answers. Each request takes a
// millisecond, so that a client that sends many at once is caught. Servers with little memory do so.
func FewRequests(n int) Character {
	return func(o *Options) {
		o.MaxRequests = n
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			r.Sleep(time.Millisecond)
			return r.Next()
		})
	}
}
