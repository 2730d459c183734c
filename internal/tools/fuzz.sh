#!/bin/sh
# fuzz.sh DURATION runs every fuzz target of the module for DURATION, one after the other, to the first finding.
set -eu

list=$(mktemp)
trap 'rm -f "$list"' EXIT

# `go test -list` prints a package's targets, then the package: "ok  PACKAGE  0.1s".
go test -list '^Fuzz' ./... >"$list"
targets=$(awk '/^Fuzz/ { found[n++] = $1 } /^ok/ { while (n > 0) print $2, found[--n] }' "$list")
if [ -z "$targets" ]; then
	echo "there is no fuzz target" >&2
	exit 1
fi
echo "$targets" | while read -r package target; do
	echo "== $package $target, $1"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package" </dev/null
done
