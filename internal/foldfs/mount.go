package foldfs

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Mount mounts a new NTFS volume that ignores case and returns its directory. It skips the test if the Debian package
// ntfs-3g or FUSE is missing, or if this user is not root. With SYNCFS_FULL=1, a missing package is a failure.
func Mount(t testing.TB) string {
	t.Helper()
	for _, tool := range []string{"mkntfs", "lowntfs-3g"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("SYNCFS_FULL") == "1" {
				t.Fatalf("%s: install the Debian package ntfs-3g", tool)
			}
			t.Skipf("no directory that ignores case: %v (Debian package ntfs-3g)", err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("no directory that ignores case: only root may mount one")
	}
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no directory that ignores case: %v", err)
	}
	fuse.Close()

	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 64<<20))
	run(t, exec.Command("mkntfs", "--force", "--quick", "--quiet", image))

	// The process that serves the volume moves to the background and holds the pipe until it ends.
	ended, held, err := os.Pipe()
	must(t, err)
	mount := exec.Command("lowntfs-3g", "-o", "ignore_case", image, dir)
	mount.ExtraFiles = []*os.File{held}
	run(t, mount)
	held.Close()
	t.Cleanup(func() {
		defer ended.Close()
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
			return
		}
		_, _ = io.Copy(io.Discard, ended)
	})
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", cmd.Path, err, out)
	}
}
