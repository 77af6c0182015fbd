package sftptest

// A Hook sees each request and decides what becomes of it. It returns the Answer:
//
//   - r.Next() executes the request, as if there were no hook.
//   - Refuse(status, message) answers without executing it.
//   - Drop() never answers. Cut() ends the connection. After a call of r.Next they do so for a request that was executed.
//   - r.Wait(ready) or r.Sleep(d) before r.Next delays it, and all that follows on the channel. After r.Detach() it delays this
//     request alone.
//
// A request that waits is executed even if its client is gone by then.
//
// Requests of one channel call the hook one after the other, except for those that are detached. Requests of different channels
// call it concurrently. A hook must block in r.Wait or r.Sleep alone, because Server.Stop and Server.Close wait for it.
type Hook func(r *Request) Answer

// A Character makes a server behave in a certain way. Several of them combine. Any function that changes Options is one.
//
// Hooks, including those of characters, see a request in the order in which they were added, and its answer in the reverse
// order. If a hook does not call Request.Next, the hooks behind it do not see the request.
type Character func(*Options)

// OnRequest adds a Hook. Put it first to see each request before a character refuses it.
func OnRequest(hook Hook) Character {
	return func(o *Options) { o.Hooks = append(o.Hooks, hook) }
}

// Announce adds a protocol extension to those that the server announces. A Hook may answer the requests for it.
func Announce(name, data string) Character {
	return func(o *Options) {
		o.Extensions = o.extensions()
		o.Extensions[name] = data
	}
}
