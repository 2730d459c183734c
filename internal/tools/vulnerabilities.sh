#!/bin/sh
# vulnerabilities.sh fails if the program calls code with a known vulnerability. Where the database cannot be reached it
# says that nothing was checked, and succeeds. VULNDB names another database, as `govulncheck -db` does.
set -u

said=$(mktemp)
trap 'rm -f "$said"' EXIT

CGO_ENABLED=0 go tool -modfile=internal/tools/go.mod govulncheck ${VULNDB:+-db "$VULNDB"} ./... >"$said" 2>&1
status=$?
cat "$said"
if [ $status -ne 0 ] && [ $status -ne 3 ] && grep -q '^govulncheck: fetching vulnerabilities: ' "$said"; then
	echo "VULNERABILITIES WERE NOT CHECKED: the database cannot be reached from here (its answer is above)" >&2
	exit 0
fi
exit $status
