# Propusk. The targets that people need: run, test, bench, lint, fuzz, build.
#
# Every target installs what it needs: Debian packages with apt-get (through
# sudo only when not root; without either it says what to install) and Go tools, at
# pinned versions, into .cache/bin.

SHELL := /bin/bash
GO    ?= go
TOOLS := $(CURDIR)/.cache/bin

GOLANGCI_VERSION := v2.15.0

# What the two-minute tour of README.md uses.
APT_RUN   := ca-certificates curl openssl libengine-gost-openssl
# Browser tests and vendors' plug-ins want node and npm; any node from 18 on will do,
# so Debian's is installed only where there is none.
APT_NODE  := $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
# The real peers of the tests; gcc is for the race detector, valgrind finds
# branches and addresses that depend on secrets.
APT_TEST  := $(APT_RUN) $(APT_NODE) gcc libc6-dev libxml2-utils valgrind gnutls-bin haproxy iproute2 nginx-light stunnel4 util-linux opensc \
	pcscd libccid vsmartcard-vpcd softhsm2 chromium gcc-mingw-w64-x86-64 exim4-daemon-light
# The C side of the benchmarks.
APT_BENCH := $(APT_TEST) libssl-dev

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: plugins plugins-if-possible browser agent softtoken run test race lint fuzz fuzz-differential connections large bench timing build tidy generate clean apt-run apt-test apt-bench
.DEFAULT_GOAL := build

## run: build, start the demo country and print what to open
run: apt-run build
	bin/propusk demo

# The libraries of tokens (PKCS#11) are native code. Without a C compiler the programs are
# built all the same, and say that they cannot reach tokens.
CGO := $(if $(shell command -v $$($(GO) env CC)),1,0)

## build: the programs, into bin/; with support for tokens if there is a C compiler, and
## for vendors' browser plug-ins if there is npm
build: $(if $(shell command -v npm),plugins-if-possible)
	CGO_ENABLED=$(CGO) $(GO) build -trimpath -o bin/ ./cmd/propusk ./cmd/propusk-agent ./cmd/cabinet

# What is taken from npm is locked, with digests, in package-lock.json beside each
# package.json; scripts of packages are not run.
NPM_CI  := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
PLUGINS := server/page/plugins
BROWSER := cmd/internal/browsertest

$(PLUGINS)/node_modules/.package-lock.json: $(PLUGINS)/package.json $(PLUGINS)/package-lock.json
	cd $(PLUGINS) && $(NPM_CI)
	touch $@

$(PLUGINS)/dist/plugins.js: $(PLUGINS)/node_modules/.package-lock.json $(PLUGINS)/build.mjs $(wildcard $(PLUGINS)/src/*.mjs)
	cd $(PLUGINS) && node build.mjs

$(BROWSER)/node_modules/.package-lock.json: $(BROWSER)/package.json $(BROWSER)/package-lock.json
	cd $(BROWSER) && $(NPM_CI)
	touch $@

## plugins: the script that signs with vendors' browser plug-ins; needs node and npm
plugins: $(PLUGINS)/dist/plugins.js

# The gateway works without the script, so a machine without the npm registry builds too.
plugins-if-possible:
	@$(MAKE) --no-print-directory plugins || echo "Without vendors' browser plug-ins: npm did not do it, see above."

## browser: what drives Chromium in the tests
browser: $(BROWSER)/node_modules/.package-lock.json

## agent: the agent for this machine, for Windows (with mingw-w64) and for macOS (whose
## tokens need a build on a Mac)
AGENT := $(GO) build -trimpath
agent: apt-test
	CGO_ENABLED=$(CGO) $(AGENT) -ldflags '-s -w' -o bin/propusk-agent ./cmd/propusk-agent
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc $(AGENT) -ldflags '-s -w -extldflags=-static' -o bin/propusk-agent.exe ./cmd/propusk-agent
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(AGENT) -ldflags '-s -w' -o bin/propusk-agent-darwin-arm64 ./cmd/propusk-agent
	GOOS=darwin GOARCH=amd64 CGO_ENABLED=0 $(AGENT) -ldflags '-s -w' -o bin/propusk-agent-darwin-amd64 ./cmd/propusk-agent

## softtoken: bin/libpropusksoft.so, the PKCS#11 library of soft tokens; needs a C compiler
softtoken:
	CGO_ENABLED=1 $(GO) build -trimpath -buildmode=c-shared -o bin/libpropusksoft.so ./tokens/soft/module
	rm -f bin/libpropusksoft.h

## test: all tests, with real OpenSSL and gost-engine as peers; without assembly; under the race detector;
## the pages that the browser tests see are kept in .cache/screenshots
test: apt-test
	$(MAKE) --no-print-directory plugins browser # only now is there npm
	mkdir -p $(CURDIR)/.cache/screenshots
	PROPUSK_REQUIRE_INTEROP=1 PROPUSK_SCREENSHOTS=$(CURDIR)/.cache/screenshots $(GO) test -timeout 15m ./...
	$(GO) test -short -tags purego ./gost/...
	GOARCH=arm64 $(GO) vet ./gost/...
	$(MAKE) --no-print-directory agent
	$(MAKE) --no-print-directory race

## race: the packages that share memory between goroutines, under the race detector
race: apt-test
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m ./gost/gosttls/... ./pki/facts/... ./pki/revocation/... ./tokens ./tokens/keyring/... ./tokens/pcsc/... ./tokens/virtualcard/... ./certs/... ./server/... ./cmd/...
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m -run 'Concurrent|InsertRemove|Close' ./tokens/soft/...
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m -run 'TestSoft$$' ./tokens/conformance
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m -run 'Concurrent|Parallel|Contract|Cache|VerifyMany|SelfTest' ./gost/...

## lint: formatting, vet, golangci-lint with the import map of the project
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	@unformatted=$$(gofmt -l cmd certs gost pki server tokens); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$< run ./...
	$(GO) mod tidy -diff

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	@echo "Building golangci-lint $(GOLANGCI_VERSION) into .cache/bin (once)"
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

FUZZTIME ?= 30s

## fuzz: every fuzz target for FUZZTIME (30s). Twice after a failure: the fuzzer of Go
## now and then takes its own deadline for one; a finding is in testdata by then, and
## fails again
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			fuzz="$(GO) test -run ^\$$ -fuzz ^$$target\$$ -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg"; \
			$$fuzz || $$fuzz; \
		done; \
	done

DIFFERENTIALTIME ?= 10m

## fuzz-differential: every primitive against gogost for DIFFERENTIALTIME (10m)
fuzz-differential:
	@set -e; for pkg in $$($(GO) list ./gost/...); do \
		$(GO) test -list '^FuzzGogost$$' $$pkg | grep -q '^FuzzGogost$$' || continue; \
		echo "== $$pkg FuzzGogost"; \
		fuzz="$(GO) test -run ^\$$ -fuzz ^FuzzGogost\$$ -fuzztime $(DIFFERENTIALTIME) -fuzzminimizetime 10x $$pkg"; \
		$$fuzz || $$fuzz; \
	done

## connections: hold 10,000 idle GOST TLS connections, and serve new ones beside them
connections:
	PROPUSK_CONNECTIONS=10000 $(GO) test -count=1 -v -run TestIdleConnections -timeout 30m ./gost/gosttls

## large: documents of a gigabyte, in constant memory
large:
	PROPUSK_LARGE=1 PROPUSK_STREAM=1 $(GO) test -count=1 -v -run 'OneGigabyte|StreamMemory' -timeout 30m ./server ./pki/cms

## bench: ratios beside gost-engine, gogost, nginx and OpenSSL's verdicts, measured in the same run, and what
## tokens, pages and sign-ins cost; PURE=1 also without assembly
bench: apt-bench
	$(GO) run ./gost/internal/peerbench $(if $(PURE),-pure)
	$(GO) run ./gost/internal/tlsbench
	$(GO) run ./cmd/internal/verdictbench
	$(GO) run ./cmd/internal/tokenbench
	$(GO) run ./cmd/internal/signinbench

## timing: look for timing differences between secrets, for minutes on a quiet machine
timing:
	PROPUSK_TIMING=1 $(GO) test -run Timing -v -timeout 30m ./gost ./gost/gost3410

## generate: regenerate what is generated; CI compares
generate:
	$(GO) generate ./...

tidy:
	$(GO) mod tidy

clean:
	rm -rf bin var

apt-run:
	@$(call apt_install,$(APT_RUN))

apt-test:
	@$(call apt_install,$(APT_TEST))

apt-bench:
	@$(call apt_install,$(APT_BENCH))

# apt_install says what it does, and does nothing when nothing is missing. Packages of
# servers start them at once unless a policy says no (exit code 101 of policy-rc.d): the
# tests want the programs, not the services, so there is one while packages are set up.
define apt_install
	if ! command -v dpkg-query >/dev/null; then \
		echo "This is not Debian or Ubuntu: please install the equivalents of: $(1)"; exit 0; fi; \
	missing=""; \
	for p in $(1); do \
		[ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	if [ -n "$(SUDO)" ] && ! command -v $(SUDO) >/dev/null; then \
		echo "Neither root nor sudo. Let root run: apt-get install --no-install-recommends$$missing" >&2; exit 1; fi; \
	echo "Installing Debian packages:$$missing"; \
	if [ ! -e /usr/sbin/policy-rc.d ]; then \
		trap '$(SUDO) rm -f /usr/sbin/policy-rc.d' EXIT; \
		printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee /usr/sbin/policy-rc.d >/dev/null; \
		$(SUDO) chmod +x /usr/sbin/policy-rc.d; fi; \
	$(SUDO) apt-get update -q && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing
endef
