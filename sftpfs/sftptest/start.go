package sftptest

import "testing"

// Start starts a server with the given characters for the time of a test. It fails the test if that is not possible.
func Start(t testing.TB, characters ...Character) *Server {
	t.Helper()
	var opts Options
	for _, c := range characters {
		c(&opts)
	}
	s, err := New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
