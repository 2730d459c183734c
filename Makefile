# `make` alone lists the targets. What they need beyond Go and make: git for the revision in `lorry version`, a C
# compiler for the race detector, mosquitto for `make interop` and `make bench`, which install it where apt-get is.

.DEFAULT_GOAL := help

DEMO_FOR ?= 20s
FUZZTIME ?= 60s
DURATION ?= 3m

# The version is the tag; without a tag it is what cmd/lorry/version.go says.
VERSION  ?= $(patsubst v%,%,$(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null))
REVISION ?= $(shell git describe --always --exclude '*' --abbrev=12 --dirty 2>/dev/null)
LDFLAGS  := -s -w $(if $(VERSION),-X main.version=$(VERSION)) $(if $(REVISION),-X main.revision=$(REVISION))

# The tools' versions stand in internal/tools/go.mod, apart from the program's own.
TOOL      := go tool -modfile=internal/tools/go.mod
LINT      := CGO_ENABLED=0 $(TOOL) golangci-lint
GOTESTSUM := CGO_ENABLED=1 $(TOOL) gotestsum

.PHONY: help build demo test check format vet lint sleeps modules vulnerabilities fmt interop interop-deps mosquitto fuzz bench soak clean race

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/lorry, one static file
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(strip $(LDFLAGS))' -o bin/lorry ./cmd/lorry

demo: build ## the whole route in one process, for 20 s (DEMO_FOR=1m)
	bin/lorry demo --for $(DEMO_FOR)

test: race ## all tests, with the race detector; one that skips fails
	@mkdir -p bin/tests && rm -f bin/tests/test.json
	$(GOTESTSUM) --jsonfile-timing-events bin/tests/test.json -- -race ./...
	@sh internal/tools/tally.sh bin/tests/test.json

check: format vet lint sleeps modules vulnerabilities ## formatting, vet, linters, modules, known vulnerabilities

format:
	@unformatted=$$(gofmt -l .) && [ -z "$$unformatted" ] || \
		{ printf 'not formatted (make fmt does it):\n%s\n' "$$unformatted" >&2; exit 1; }

vet:
	CGO_ENABLED=0 go vet -tags interop ./...

lint: ## the linters of .golangci.yml alone
	$(LINT) run

# In a synctest bubble time.Sleep moves the test's own clock; anywhere else it is a guess about the machine.
sleeps:
	@sleepers=$$(grep -rl --include='*_test.go' 'time\.Sleep(' . | xargs -r grep -L '"testing/synctest"'); [ -z "$$sleepers" ] || \
		{ printf 'tests that sleep (wait for the event, or control the clock):\n%s\n' "$$sleepers" >&2; exit 1; }

modules:
	go mod tidy -diff
	go mod verify
	go mod verify -modfile=internal/tools/go.mod

vulnerabilities:
	@sh internal/tools/vulnerabilities.sh

fmt: ## format all files and sort their imports
	$(LINT) fmt

interop: race interop-deps ## the tests against mosquitto
	@sh internal/tools/interop.sh bin/tests/interop.json
	@sh internal/tools/tally.sh bin/tests/interop.json

interop-deps: ## install mosquitto and its clients (Debian)
	@sh internal/tools/mosquitto.sh clients

mosquitto:
	@sh internal/tools/mosquitto.sh

fuzz: ## every fuzz target, one after the other (FUZZTIME=60s each)
	@sh internal/tools/fuzz.sh $(FUZZTIME)

bench: build mosquitto ## measure this machine, a report in bench/results (SCENARIO=hotpath ROUNDS=5 BASE=v0.1.0 ARGS='--size 200')
	go run ./bench --lorry bin/lorry $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(BASE),--base $(BASE)) $(ARGS)

soak: build ## lorry under faults drawn from a seed, every frame verified (DURATION=10m FAULTS=200 SEED=7 NATS=external)
	go run ./bench soak --lorry bin/lorry --duration $(DURATION) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) \
		$(if $(NATS),--nats $(NATS)) $(ARGS)

clean: ## remove what was built
	rm -rf bin

race:
	@printf '#include <stdlib.h>\n' | $$(go env CC) -E -x c - >/dev/null 2>&1 || { \
		echo "the race detector needs a C compiler and its headers, and '$$(go env CC)' does not work here:" >&2; \
		echo "apt-get install gcc libc6-dev (Debian), or name another in CC" >&2; exit 1; }
