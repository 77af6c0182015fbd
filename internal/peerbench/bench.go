package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench runs the tools and holds the results.
type bench struct {
	scale     scale
	tools     []tool
	workloads []workload
	wires     []wire
	runs      int
	limit     time.Duration // of one run

	quick bool   // the figures have no meaning
	place string // directory of dir

	dir     string // holds all files
	made    int    // number of prepared runs
	log     io.Writer
	results results
}

// run measures everything. It returns the errors of the runs; the results hold whatever could be measured.
func (b *bench) run(ctx context.Context) (err error) {
	server, keeper, err := startServer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keeper.close()) }()
	for _, i := range b.items() {
		if err := makeItem(b.dataDir(i), i); err != nil {
			return err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	c := &connector{server: server, dir: b.dir, program: program}
	var errs []error
	for _, w := range b.wires {
		errs = append(errs, b.runOver(ctx, c, w))
	}
	return errors.Join(errs...)
}

func (b *bench) runOver(ctx context.Context, c *connector, w wire) (err error) {
	h, err := c.over(w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	var errs []error
	for _, load := range b.workloads {
		for round := range b.runs {
			for _, t := range rotated(b.tools, round) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				errs = append(errs, b.measure(ctx, cell{w, load.name, t.name}, load, t, h))
			}
		}
	}
	return errors.Join(errs...)
}

// rotated lets each round begin with another tool, so that no tool always follows the same other one.
func rotated[T any](all []T, round int) []T {
	n := round % len(all)
	return slices.Concat(all[n:], all[:n])
}

// measure runs a tool once and records the result, unless the tool can't do the task or the result is known already.
func (b *bench) measure(ctx context.Context, at cell, load workload, t tool, h host) error {
	_, able := t.plan(job{task: load.task, item: load.item})
	if !able || b.results.givenUp(at) {
		return nil
	}
	s, err := b.once(ctx, load, t, h)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	result := outcome{seconds: []float64{s.seconds}, memory: s.memory}
	text := fmt.Sprintf("%.3f s", s.seconds)
	switch {
	case err != nil:
		result, text = outcome{failed: true}, "failed"
	case s.overLimit:
		result, text = outcome{overLimit: true}, fmt.Sprintf("over %v", b.limit)
		if t.ours {
			err = errOverLimit
		}
	}
	b.results.add(at, result)
	fmt.Fprintf(b.log, "%s, %s, %s: %s\n", at.wire, load.title, t.name, text)
	if err != nil {
		return fmt.Errorf("%s, %s, %s: %w", at.wire, load.title, t.name, err)
	}
	return nil
}

// errOverLimit is the error if a run of ours took longer than the limit. For a peer, this is no error.
var errOverLimit = errors.New("over the limit")

// sample is the result of one run.
type sample struct {
	seconds   float64
	memory    int64
	overLimit bool // the run was ended
}

func (b *bench) once(ctx context.Context, load workload, t tool, h host) (s sample, err error) {
	j, cleanUp, err := b.prepare(ctx, load, t, h)
	defer func() { err = errors.Join(err, cleanUp()) }()
	if err != nil {
		return sample{}, fmt.Errorf("preparing: %w", err)
	}
	p, _ := t.plan(j)

	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	began := time.Now()
	output, err := b.runner().run(limited, p, j.mount)
	took := time.Since(began)
	if limited.Err() != nil && ctx.Err() == nil {
		return sample{overLimit: true}, nil
	}
	if err != nil {
		return sample{}, err
	}
	r, reported := findReport(output)
	if t.warm && !reported {
		return sample{}, errors.New("it does not say how long it took")
	}
	if err := b.check(t, j, output, r); err != nil {
		return sample{}, fmt.Errorf("the result is wrong: %w", err)
	}
	s = sample{seconds: took.Seconds(), memory: r.Memory}
	if t.warm {
		s.seconds = r.Seconds
	}
	return s, nil
}

// prepare makes the directories of a job and the data that the task begins with. cleanUp is never nil.
func (b *bench) prepare(ctx context.Context, load workload, t tool, h host) (
	j job, cleanUp func() error, err error,
) {
	// Each run gets a directory of its own: a server session that was cut off may still write into the previous one.
	b.made++
	dir := filepath.Join(b.dir, fmt.Sprintf("run-%d", b.made))
	data := b.dataDir(load.item)
	j = job{task: load.task, item: load.item, host: h, blocks: b.scale.blocks,
		remoteDir: data, localDir: filepath.Join(dir, "local"), scratch: filepath.Join(dir, "scratch"),
		mount: filepath.Join(dir, "mount"), names: filepath.Join(dir, "names"),
	}
	switch load.task {
	case push:
		j.remoteDir, j.localDir = filepath.Join(dir, "remote"), data
	case edits:
		j.remoteDir = filepath.Join(dir, "remote")
	}
	cleanUp = func() error {
		return errors.Join(removeAll(dir), os.RemoveAll(filepath.Join(data, ".syncfs")))
	}
	for _, d := range []string{j.remoteDir, j.localDir, j.scratch, j.mount, b.home()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return j, cleanUp, err
		}
	}
	if err := os.WriteFile(j.names, []byte(namesText(load.item)), 0o644); err != nil {
		return j, cleanUp, err
	}
	if load.task == edits {
		if err := copyItem(filepath.Join(data, load.item.name), j.remote()); err != nil {
			return j, cleanUp, err
		}
	}
	if load.task == edits || load.task == cached {
		h.preparing()
		defer h.measuring()
		err = b.bringHere(ctx, t, j, filepath.Join(data, load.item.name))
	}
	if load.task == edits && err == nil {
		err = editItem(j.local(), load.item, edited(b.scale.many))
	}
	return j, cleanUp, err
}

// bringHere copies the item to the local side.
func (b *bench) bringHere(ctx context.Context, t tool, j job, from string) error {
	if t.prepare == nil {
		return copyItem(from, j.local())
	}
	_, err := b.runner().run(ctx, one(t.prepare(j)...), "")
	return err
}

func (b *bench) dataDir(i item) string { return filepath.Join(b.dir, "data", i.name) }
func (b *bench) home() string          { return filepath.Join(b.dir, "home") }

func (b *bench) runner() runner { return runner{env: cleanEnv(b.home(), b.dir), dir: b.dir} }

// items returns the items of the workloads, each once.
func (b *bench) items() []item {
	var items []item
	for _, load := range b.workloads {
		if !slices.ContainsFunc(items, func(i item) bool { return i.name == load.item.name }) {
			items = append(items, load.item)
		}
	}
	return items
}

// namesText returns the list of file names that the client reads.
func namesText(i item) string {
	var text strings.Builder
	for _, f := range i.list() {
		text.WriteString(f.name + "\n")
	}
	return text.String()
}
