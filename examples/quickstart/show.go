package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/afero"
)

// row says where one name is.
type row struct{ local, queued, server string }

// show prints a table of every name: what the local directory has, what is queued and what the server has. It looks
// past the Fs: into the local directory itself, and at the server over a connection of its own.
func (s *story) show() error {
	rows := make(map[string]row)
	local, err := files(afero.NewBasePathFs(afero.NewOsFs(), s.dir))
	if err != nil {
		return err
	}
	for name, size := range local {
		rows[name] = row{local: size}
	}
	for _, change := range s.fs.Pending() {
		r := rows[change.Name]
		r.queued = change.Op.String()
		rows[change.Name] = r
	}
	if s.server.up {
		onServer, err := files(s.server.observer)
		if err != nil {
			return err
		}
		for name, size := range onServer {
			r := rows[name]
			r.server = size
			rows[name] = r
		}
	}
	return s.print(rows)
}

func (s *story) print(rows map[string]row) error {
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)

	fmt.Fprintln(s.out)
	w := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	heading := "server"
	if !s.server.up {
		heading = "server (unreachable)"
	}
	fmt.Fprintf(w, "   name\tlocal\tqueued\t%s\n", heading)
	for _, name := range names {
		r := rows[name]
		if !s.server.up {
			r.server = "?"
		}
		fmt.Fprintf(w, "   %s\t%s\t%s\t%s\n", name, orDash(r.local), orDash(r.queued), orDash(r.server))
	}
	return w.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// files returns what is in a tree, and the size of each file, without what package syncfs keeps for itself.
func files(tree afero.Fs) (map[string]string, error) {
	found := make(map[string]string)
	err := afero.Walk(tree, "/", func(name string, info fs.FileInfo, err error) error {
		name = strings.TrimPrefix(filepath.ToSlash(name), "/")
		switch {
		case err != nil:
			return err
		case name == "":
		case name == ".syncfs":
			return fs.SkipDir
		case info.IsDir():
			found[name] = "directory"
		default:
			found[name] = fmt.Sprintf("%d bytes", info.Size())
		}
		return nil
	})
	return found, err
}
