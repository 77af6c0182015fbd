package sftpfs

import (
	"reflect"
	"sync"

	"golang.org/x/crypto/ssh"
)

// endForgotten returns when client has ended, with the cause, and has ended the calls of OpenChannel that x/crypto/ssh
// forgets then.
//
// When its reader ends, it closes the channels that there are, and only after that does writing fail. A channel that is
// made in between is not closed, and waits for ever for an answer that nobody is left to take. That can't be kept from
// happening: what comes first shows nowhere, for the reader may end because of what it has read, and a packet that could
// not be written counts as sent. Nor can the call be ended through what the package exports. So the channel is closed
// the way the reader does it, at a moment when no further one can begin to wait. Should the fields be others in some
// version, nothing is done.
func endForgotten(client *ssh.Client) error {
	cause := client.Wait()
	list := field(field(reflect.ValueOf(client.Conn), "mux"), "chanList")
	lock, channels := field(list, "Mutex"), field(list, "chans")
	if !lock.IsValid() || lock.Type() != reflect.TypeFor[sync.Mutex]() || channels.Kind() != reflect.Slice {
		return cause
	}
	mu := (*sync.Mutex)(lock.Addr().UnsafePointer())
	mu.Lock()
	defer mu.Unlock()
	for i := range channels.Len() {
		if answer := field(channels.Index(i), "msg"); answer.Kind() == reflect.Chan {
			reflect.NewAt(answer.Type(), answer.Addr().UnsafePointer()).Elem().Close()
		}
	}
	return cause
}

// field returns a field of the struct that v leads to, or the zero Value if there is none.
func field(v reflect.Value, name string) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}
