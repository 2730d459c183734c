#!/bin/sh
# tally.sh FILE... counts the tests in files of `go test -json` events and prints "N passed, N failed, N skipped" as its
# last line. It fails if a test failed or was skipped, a file is missing or none passed: what did not run proves nothing.
set -eu

missing=0
for file; do
	shift
	if [ -s "$file" ]; then
		set -- "$@" "$file"
	else
		echo "$file is not there: its tests did not run" >&2
		missing=1
	fi
done
[ $# -gt 0 ] || set -- /dev/null

awk -v missing=$missing '
function field(name) {
	return match($0, "\"" name "\":\"[^\"]*\"") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : ""
}
{ action = field("Action"); package = field("Package"); test = field("Test") }
test != "" && action == "pass" { passed++ }
test != "" && action == "skip" { skipped++; print "skipped: " package " " test }
test != "" && action == "fail" { failed++; broken[package]++; print "failed: " package " " test }
# A package can fail with none of its tests: it did not build, leaked goroutines, ran out of time.
test == "" && action == "fail" && !broken[package] { failed++; print "failed: " package }
test == "" { delete broken[package] }
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit missing || failed || skipped || !passed
}' "$@"
