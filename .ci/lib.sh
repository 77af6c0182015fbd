# Shared by the scripts beside it. They are started from anywhere and work at the root of the checkout.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CI=true                     # a test that lacks what it needs fails, where elsewhere it is skipped
export GOFLAGS=-buildvcs=false     # the checkout may belong to another user, which git refuses to look at
export HOME="${HOME:-/root}"

# Tests write and sync many small files. In memory that costs what they test, not what a disk takes. They also build
# programs there, which has to be allowed.
TMPDIR=$(mktemp -d)
if mount | grep -q 'on /dev/shm type tmpfs (rw' && ! mount | grep -q 'on /dev/shm type tmpfs (.*noexec'; then
	rmdir "$TMPDIR"
	TMPDIR=$(mktemp -d -p /dev/shm)
fi
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

step() { printf '\n== %s\n' "$*"; }

# install PACKAGE...: the Debian packages that are missing.
install() {
	local missing=() package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	export DEBIAN_FRONTEND=noninteractive
	local get=(apt-get -qq -y --no-install-recommends install "${missing[@]}")
	"${get[@]}" || { apt-get -qq update && "${get[@]}"; }
}

# readme_command NAME: the command that README.md shows in the block below <!-- command: NAME -->.
readme_command() {
	awk -v marker="<!-- command: $1 -->" '
		$0 == marker { wanted = 1; next }
		wanted && /^```/ { if (inside) exit; inside = 1; next }
		inside { print; found = 1 }
		END { if (!found) { print "README.md has no command " marker > "/dev/stderr"; exit 1 } }
	' README.md
}

# summarized COMMAND...: runs tests that print JSON. A skipped test is a failure. The last line of output is "N passed, N
# failed, N skipped".
summarized() {
	scratch=$(mktemp -d)
	go build -o "$scratch/summary" .ci/summary.go
	"$@" | "$scratch/summary"
}

# run_tests FLAG...: the README's test command with these flags added, summarized.
run_tests() {
	summarized env GOFLAGS="$GOFLAGS -count=1 -json $*" bash -euo pipefail -c "$(readme_command test)"
}
