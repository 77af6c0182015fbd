package opensshtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// freePort returns a loopback port nobody listens on. It lies below the range the system takes ports for outgoing
// connections from: otherwise, while a server is stopped, a client dialling it could be given the very same port for
// its own end, and connect to itself.
func freePort() (int, error) {
	var errs error
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		errs = errors.Join(errs, err)
	}
	return 0, errs
}

func portTaken(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
	}
	return err != nil
}
