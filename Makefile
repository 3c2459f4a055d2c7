# The commands of the project; each says what it does. `make run` and `make test` are all a newcomer needs.
# Stages that could hang have a time limit (seconds).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

RELEASE := .build/release/hearth
FUZZ := .build/release/hearth-fuzz
# What a scenario of `make e2e` is called: the files of Tests/EndToEnd/scenarios without ending; empty for all.
SCENARIO ?=
# How long each soak test runs, in minutes, and how many fresh seeds each property test gets.
MINUTES ?= 120
SEEDS ?= 200
# How many fresh lives of a store with crashes and a refusing disk, per test; how many times the server is killed under
# load, instead of for some minutes.
STORE_SEEDS ?= 2000
ROUNDS ?=
# What `make fuzz` runs: a target or all of them, and how long each, in seconds.
TARGET ?= all
DURATION ?= 60
# What `make bench-query` passes on.
ARGUMENTS ?=

# The modules whose tests have sockets and deadlines: they run apart from those that only compute, which would starve
# them on a small machine.
SOCKETS := ^(OutboundHTTP|HTTPAPI|Scrape|Server|Discovery|Notifier|Demo|Rules|WebUI|RemoteStorage|OwnThreads|hearth)Tests[.]

.PHONY: run build build-fuzz test e2e soak fuzz bench bench-query lint format deps clean

# Builds in release mode and starts a demo server with a backend to watch, on loopback.
run: build
	exec $(RELEASE) demo

# The release binary: .build/release/hearth
build: deps
	@echo "==> building in release mode (the first build compiles all dependencies: several minutes)"
	swift build -c release --product hearth --static-swift-stdlib

# Hermetic: needs no other program, no root, only loopback. Fixed seeds.
test: deps
	@echo "==> building the tests"
	timeout 2400 swift build --build-tests
	@echo "==> running the tests"
	timeout 900 swift test --skip-build --filter '$(SOCKETS)'
	timeout 900 swift test --skip-build --skip '$(SOCKETS)'

# The release binary against real programs: a FastAPI app, node-exporter, Alertmanager, promtool.
e2e: build build-fuzz
	timeout 2400 python3 Tests/EndToEnd/run.py --hearth $(RELEASE) $(SCENARIO)

# Hours, by hand; results belong into benchmarks/results. Property tests with fresh seeds, then 5,000 targets on one
# processor, then scraping with kills: for MINUTES, or as many as ROUNDS says (100 take some ten minutes).
soak: build
	@echo "==> building the tests"
	timeout 2400 swift build --build-tests
	HEARTH_SEEDS=$(SEEDS) timeout 14400 swift test --skip-build --filter PromQLPropertyTests
	HEARTH_SEEDS=$(STORE_SEEDS) timeout 14400 swift test --skip-build --filter TSDBTests.CrashTests
	python3 Tests/EndToEnd/soak_targets.py --hearth $(RELEASE)
	python3 Tests/EndToEnd/soak.py --hearth $(RELEASE) $(if $(ROUNDS),--rounds $(ROUNDS),--minutes $(MINUTES))

# Random inputs; one that fails is kept in Tests/Fuzz/Failures, which `make test` runs.
fuzz: build-fuzz
	$(FUZZ) --target $(TARGET) --seconds $(DURATION)

build-fuzz: deps
	@echo "==> building the fuzzer in release mode"
	swift build -c release --product hearth-fuzz --static-swift-stdlib

# Prints figures, asserts nothing.
bench: deps
	@echo "==> building the benchmarks in release mode"
	swift build -c release --product CodecBenchmark --static-swift-stdlib
	swift build -c release --product IngestBenchmark --static-swift-stdlib
	swift build -c release --product QueryBenchmark --static-swift-stdlib
	.build/release/CodecBenchmark
	.build/release/IngestBenchmark
	.build/release/QueryBenchmark

# Query speed beside Debian's prometheus and victoria-metrics; a peer that is missing is skipped. ARGUMENTS="--quick"
# takes minutes instead of half an hour; --help tells the rest.
bench-query: build
	swift build -c release --product QueryBenchmark --static-swift-stdlib
	timeout 7200 python3 benchmarks/Query/side_by_side.py --hearth $(RELEASE) --feeder .build/release/QueryBenchmark \
		$(ARGUMENTS)

lint: deps
	swift format lint --strict --recursive --parallel Sources Tests benchmarks Package.swift

format: deps
	swift format format --in-place --recursive --parallel Sources Tests benchmarks Package.swift

# Installs the Debian packages that the build needs, where they are missing; checks the Swift version.
deps:
	@.ci/deps build

clean:
	rm -rf .build .demo-data .e2e
