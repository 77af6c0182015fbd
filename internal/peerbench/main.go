// Peerbench compares this project with other programs for the same tasks.
//
//	go run -C internal/peerbench .
//
// starts an OpenSSH server with its stock limits, makes data in memory, and lets us and every installed peer copy, list
// and read it over simulated links, taking turns. It checks every byte of every result. It writes a Markdown table of
// the medians, with our time divided by theirs, and another one of the project's goals. -quick does the same with
// little data, to see that everything works; its figures have no meaning.
//
//	go run -C internal/peerbench . -chart peers.svg -readme ../../README.md
//
// also draws a chart and updates the part of the README that contains chart and table.
//
//	go run -C internal/peerbench . -tools syncfs -workloads small-down,small-up -small 50000
//
// shows how time and memory grow with the number of files.
//
// The exit status is 1 if a run failed or had a wrong result, or if one of ours took longer than the limit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == clientWord {
		err = runClient(ctx, os.Args[2:], os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		stop()
		os.Exit(1)
	}
}

// options holds the flags.
type options struct {
	quick                   bool
	wires, tools, workloads string
	runs, small             int
	limit                   time.Duration
	dir, chart, readme      string
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peerbench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "little data, few runs: to see that it works, not to learn figures")
	flags.StringVar(&o.wires, "wires", "", "round trips, with a bandwidth or without (default 0,20ms,100ms,20ms@12MB)")
	flags.StringVar(&o.tools, "tools", "", "tools, by name (default: all that are installed)")
	flags.StringVar(&o.workloads, "workloads", "", "workloads, by name (default: all)")
	flags.IntVar(&o.runs, "runs", 0, "runs of each tool (default 5)")
	flags.IntVar(&o.small, "small", 0, "how many small files there are (default 2000)")
	flags.DurationVar(&o.limit, "limit", 0, "after which a run is ended (default 1m)")
	flags.StringVar(&o.dir, "dir", "", "where to work (default: /dev/shm, else where temporary files are)")
	flags.StringVar(&o.chart, "chart", "", "SVG file to draw the medians in")
	flags.StringVar(&o.readme, "readme", "", "Markdown file to renew the marked part of; with -chart, which it shows")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.readme != "" && o.chart == "" {
		return options{}, errors.New("-readme needs -chart")
	}
	if o.runs < 0 || o.small < 0 || o.limit < 0 {
		return options{}, errors.New("a negative number")
	}
	return o.withDefaults(), nil
}

// quickWorkloads contains every task, and copies of a file and of a tree in both directions.
const quickWorkloads = "down,up,small-down,small-up,walk,reads,first,cached,edits"

func (o options) withDefaults() options {
	wires, workloads, runs, limit := "0,20ms,100ms,20ms@12MB", "", 5, time.Minute
	if o.quick {
		wires, workloads, runs, limit = "2ms", quickWorkloads, 1, 10*time.Second
	}
	if o.wires == "" {
		o.wires = wires
	}
	if o.workloads == "" {
		o.workloads = workloads
	}
	if o.runs == 0 {
		o.runs = runs
	}
	if o.limit == 0 {
		o.limit = limit
	}
	if o.dir == "" {
		o.dir = ramDisk("/dev/shm", os.TempDir())
	}
	return o
}

// ramDisk returns the first of the directories that is writable.
func ramDisk(candidates ...string) string {
	for _, dir := range candidates {
		probe, err := os.MkdirTemp(dir, "peerbench-probe-")
		if err == nil {
			os.Remove(probe)
			return dir
		}
	}
	return candidates[len(candidates)-1]
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	b, err := newBench(o, stderr)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(o.dir, "peerbench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeAll(b.dir)) }()
	if err := os.Setenv("TMPDIR", b.dir); err != nil { // for the server's files
		return err
	}

	errRun := b.run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	about := b.about(ctx, time.Now())
	fmt.Fprintf(stdout, "%s\n%s\n%s", about, b.table(), b.goalTable())
	if o.chart != "" {
		errRun = errors.Join(errRun, b.chart().write(o.chart))
	}
	if o.readme != "" {
		errRun = errors.Join(errRun, b.renewReadme(o, about))
	}
	return errRun
}

// newBench selects what to run.
func newBench(o options, log io.Writer) (*bench, error) {
	b := &bench{scale: fullScale, runs: o.runs, limit: o.limit, quick: o.quick, place: o.dir,
		log: log, results: results{}}
	if o.quick {
		b.scale = quickScale
	}
	if o.small > 0 {
		b.scale.small = o.small
	}
	if strings.ContainsAny(o.dir, " \t\n\"'\\$") {
		return nil, fmt.Errorf("directory %q: not every peer can be given such a name", o.dir)
	}
	var err error
	if b.wires, err = parseWires(o.wires); err != nil {
		return nil, err
	}
	if b.workloads, err = pick(b.scale.workloads(), workload.String, o.workloads); err != nil {
		return nil, err
	}
	picked, err := pick(tools(), tool.String, o.tools)
	if err != nil {
		return nil, err
	}
	for _, t := range picked {
		switch err := t.missing(); {
		case err == nil:
			b.tools = append(b.tools, t)
		case o.tools != "": // it was requested
			return nil, fmt.Errorf("%s: %w", t.name, err)
		default:
			fmt.Fprintf(log, "without %s: %v\n", t.name, err)
		}
	}
	return b, nil
}

// renewReadme updates the README. It links to the chart by its path relative to the README.
func (b *bench) renewReadme(o options, about string) error {
	chart, err := filepath.Abs(o.chart)
	if err != nil {
		return err
	}
	readme, err := filepath.Abs(o.readme)
	if err != nil {
		return err
	}
	if chart, err = filepath.Rel(filepath.Dir(readme), chart); err != nil {
		return err
	}
	part := fmt.Sprintf("![Seconds over the round trip](%s)\n\n%s\n%s", filepath.ToSlash(chart), about, b.table())
	return writeReadme(o.readme, part)
}
