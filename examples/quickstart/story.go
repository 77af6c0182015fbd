package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// story is what the steps share.
type story struct {
	out    io.Writer
	server *server
	dir    string     // the local directory
	fs     *syncfs.Fs // what a program works with
}

var steps = []struct {
	title string
	tell  func(*story, context.Context) error
}{
	{"Open a file that is in the local directory", (*story).openLocal},
	{"Open a file that only the server has", (*story).openRemote},
	{"Open a file that is nowhere", (*story).openNowhere},
	{"Write files, and add files that are in the local directory", (*story).writeAndAdd},
	{"Push", (*story).push},
	{"Pull a directory", (*story).pull},
	{"The server cannot be reached", (*story).serverDown},
	{"The server is back", (*story).serverBack},
}

// tell runs the steps in an empty local directory and shows after each where everything is.
func tell(ctx context.Context, out io.Writer, server *server, dir string) (err error) {
	s := &story{out: out, server: server, dir: dir}
	if err := s.saveLocally("notes.txt", "written before the program started\n"); err != nil {
		return err
	}
	s.fs, err = syncfs.New(server.remote, afero.NewBasePathFs(afero.NewOsFs(), dir), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.fs.Close()) }()

	fmt.Fprintf(out, "local directory   %s\nserver            %s\n", dir, server.name)
	for i, step := range steps {
		fmt.Fprintf(out, "\n%d. %s\n\n", i+1, step.title)
		err := step.tell(s, ctx)
		if err == nil {
			err = s.show()
		}
		if err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, step.title, err)
		}
	}
	_, err = fmt.Fprintln(out, "\nEverything went as expected.")
	return err
}

func (s *story) openLocal(context.Context) error {
	return s.open("notes.txt", "read where it is; the server was not asked")
}

func (s *story) openRemote(context.Context) error {
	if s.isLocal("welcome.txt") {
		return errors.New("welcome.txt is in the local directory already")
	}
	if err := s.open("welcome.txt", "fetched from the server into the local directory"); err != nil {
		return err
	}
	if !s.isLocal("welcome.txt") {
		return errors.New("welcome.txt was read and is not in the local directory")
	}
	return s.open("welcome.txt", "read from the local copy; the server was not asked")
}

func (s *story) openNowhere(context.Context) error {
	return s.openFails("missing.txt", fs.ErrNotExist, syncfs.ErrUnavailable, "fs.ErrNotExist")
}

func (s *story) writeAndAdd(context.Context) error {
	if err := s.fs.Mkdir("out", 0o755); err != nil {
		return err
	}
	if err := s.write("out/report.csv", "a,b\n1,2\n"); err != nil {
		return err
	}
	if err := s.fs.Add("notes.txt"); err != nil {
		return err
	}
	s.say("Add", "notes.txt", "queued as it is")

	for _, name := range []string{"drafts/one.txt", "drafts/two.txt"} {
		if err := s.saveLocally(name, "saved by another program\n"); err != nil {
			return err
		}
	}
	added := 0
	err := s.fs.AddDir("drafts", func(name string) {
		added++
		s.say("AddDir", "drafts", "queued "+name)
	})
	if err == nil && added != 2 {
		err = fmt.Errorf("AddDir named %d files, not 2", added)
	}
	return err
}

func (s *story) push(ctx context.Context) error {
	if err := s.pushAll(ctx); err != nil {
		return err
	}
	return s.onServer("notes.txt", "out/report.csv", "drafts/one.txt", "drafts/two.txt")
}

func (s *story) pull(ctx context.Context) error {
	if _, err := s.fs.Pull(ctx, "data"); err != nil {
		return err
	}
	s.say("Pull", "data", "every file under it is local now")
	for _, name := range []string{"data/a.csv", "data/b.csv"} {
		if !s.isLocal(name) {
			return fmt.Errorf("%s is not in the local directory", name)
		}
	}
	return nil
}

func (s *story) serverDown(ctx context.Context) error {
	if err := s.server.stop(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "   %s\n", s.server.down)
	err := errors.Join(
		s.open("data/a.csv", "read from the local copy"),
		s.openFails("archive/old.txt", syncfs.ErrUnavailable, fs.ErrNotExist, "syncfs.ErrUnavailable"),
		s.write("later.txt", "written without a server\n"),
	)
	if err != nil {
		return err
	}
	switch _, err := s.fs.Push(ctx); {
	case err == nil:
		return errors.New("a push without a server succeeded")
	case !errors.Is(err, syncfs.ErrUnavailable):
		return fmt.Errorf("a push without a server gave the wrong error: %w", err)
	}
	s.say("Push", "", "fails with syncfs.ErrUnavailable; what is queued stays queued")
	return nil
}

func (s *story) serverBack(ctx context.Context) error {
	if err := s.server.start(ctx); err != nil {
		return err
	}
	if err := s.pushAll(ctx); err != nil {
		return err
	}
	return s.onServer("later.txt")
}

// saveLocally makes a file in the local directory without the Fs, as another program would.
func (s *story) saveLocally(name, text string) error {
	file := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
