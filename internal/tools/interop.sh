#!/bin/sh
# interop.sh EVENTS runs the tests in files with the build tag interop, and writes their `go test -json` events to EVENTS.
set -eu

events=$1
mkdir -p "$(dirname "$events")"
rm -f "$events"

files=$(grep -rl --include='*_test.go' '^//go:build interop$' . || true)
tests=${files:+$(sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*/\1/p' $files | sort -u | paste -sd '|' -)}
if [ -z "$tests" ]; then
	echo "no file with the build tag interop has a test" >&2
	exit 1
fi
# -count=1: a result of before says nothing of the broker that is installed now.
CGO_ENABLED=1 go tool -modfile=internal/tools/go.mod gotestsum --jsonfile-timing-events "$events" -- \
	-race -count=1 -tags interop -run "^($tests)\$" $(dirname $files | sort -u)
