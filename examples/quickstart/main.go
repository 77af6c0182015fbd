// Quickstart tells in one run what package syncfs does, and checks each step.
//
//	go run ./examples/quickstart
//
// starts an SFTP server inside the program. With
//
//	go run ./examples/quickstart -url sftp://user@host:port/root -key FILE -known-hosts FILE -local DIR
//
// the same happens on a real one. There the story works in a new directory below the root of the URL and removes that
// directory at the end; it touches nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// limit is more than the story ever takes; a server that hangs must not hold it for ever.
const limit = 50 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.url, "url", "", "server to use: sftp://user@host:port/root (default: one inside the program)")
	flags.StringVar(&o.key, "key", "", "private key to log in with (default: those that ssh would take)")
	flags.StringVar(&o.knownHosts, "known-hosts", "", "file with the server's host key (default: ~/.ssh/known_hosts)")
	flags.StringVar(&o.local, "local", "", "directory to make the local directory in, which is then kept (default: a temporary one)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "quickstart: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := quickstart(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "quickstart:", err)
		return 1
	}
	return 0
}

// options are the flags.
type options struct{ url, key, knownHosts, local string }

func quickstart(ctx context.Context, o options, stdout io.Writer) (err error) {
	server, err := openServer(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()

	dir, err := os.MkdirTemp(o.local, "quickstart-")
	if err != nil {
		return err
	}
	if o.local == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	return tell(ctx, stdout, server, dir)
}
