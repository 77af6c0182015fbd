package faultfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// replace is what careful programs do, four operations with create.
func replace(fsys afero.Fs, name, content string) error {
	if err := afero.WriteFile(fsys, name+".tmp", []byte(content), 0o600); err != nil {
		return err
	}
	return fsys.Rename(name+".tmp", name)
}

// TestEachIndex runs a scenario that keeps its promise: after any fault there is
// the old content or the new one, the new one if no error was reported.
func TestEachIndex(t *testing.T) {
	t.Parallel()
	met := map[string][]faultfs.Op{}
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		memory := crashfs.New(nil)
		require.NoError(t, afero.WriteFile(memory, "f", []byte("old"), 0o600))
		fault := p.Pending()[0]
		err := replace(faultfs.New(memory, p), "f", "new")
		p.Heal()
		got, readErr := afero.ReadFile(faultfs.New(memory, p), "f")
		require.NoError(t, readErr)
		if err == nil {
			require.Equal(t, "new", string(got))
		} else {
			require.Contains(t, []string{"old", "new"}, string(got))
		}
		met[fault.String()] = append(met[fault.String()], p.Fired()...)
	})
	require.Len(t, met, 6)
	for fault, ops := range met {
		require.Len(t, ops, 4, fault)
		for i, kind := range []faultfs.Kind{faultfs.Open, faultfs.Write, faultfs.Close, faultfs.Rename} {
			require.Equal(t, kind, ops[i].Kind, fault)
			require.Equal(t, i, ops[i].Index, fault)
		}
	}
}

// TestEachIndexPassesOffline has a scenario go offline by itself, which hides
// faults but does not end the run.
func TestEachIndexPassesOffline(t *testing.T) {
	t.Parallel()
	runs := 0
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		runs++
		fsys := faultfs.New(crashfs.New(nil), p)
		_ = fsys.Mkdir("a", 0o700)
		p.Offline(faultfs.ErrInjected)
		require.Error(t, fsys.Mkdir("b", 0o700))
		p.Offline(nil)
		_ = fsys.Mkdir("c", 0o700)
	}, faultfs.Fault{})
	require.Equal(t, 4, runs, "three operations, and once without a fault")
}

// failing are scenarios that EachIndex must refuse. They fail, so they run in a
// process of their own.
var failing = map[string]func(t *testing.T, p *faultfs.Plan){
	"in-place": func(t *testing.T, p *faultfs.Plan) {
		memory := crashfs.New(nil)
		require.NoError(t, afero.WriteFile(memory, "f", []byte("old"), 0o600))
		_ = afero.WriteFile(faultfs.New(memory, p), "f", []byte("new"), 0o600)
		got, err := afero.ReadFile(memory, "f")
		require.NoError(t, err)
		require.Contains(t, []string{"old", "new"}, string(got))
	},
	"nothing": func(*testing.T, *faultfs.Plan) {},
}

const scenarioVariable = "FAULTFS_TEST_SCENARIO"

func TestFailingScenario(t *testing.T) {
	if scenario := failing[os.Getenv(scenarioVariable)]; scenario != nil {
		faultfs.EachIndex(t, scenario)
		return
	}
	t.Parallel()
	for name, want := range map[string]string{
		"in-place": `the fault hit [1 write "f"]`,
		"nothing":  "no operations that could fail",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFailingScenario$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s", scenarioVariable, name))
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "it passed")
			require.Contains(t, string(out), want)
		})
	}
}
