package opensshtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// freePort returns a loopback port on which nobody listens. It is below the range from which the system takes ports for
// outgoing connections. Otherwise, while a server is stopped, a client that dials it could get the very same port for
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
