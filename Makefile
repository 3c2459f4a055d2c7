# The commands of the project; each says what it does. `make run` and `make test` are all a newcomer needs.
# Stages that could hang have a time limit (seconds).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

RELEASE := .build/release/hearth
# What a scenario of `make e2e` is called: the files of Tests/EndToEnd/scenarios without ending; empty for all.
SCENARIO ?=
# How long each soak test runs, in minutes.
MINUTES ?= 120

.PHONY: run build test e2e soak bench lint format deps clean

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
	timeout 900 swift test --skip-build --parallel

# The release binary against real programs: a FastAPI app, node-exporter, Alertmanager, promtool.
e2e: build
	timeout 1800 python3 Tests/EndToEnd/run.py --hearth $(RELEASE) $(SCENARIO)

# Hours, by hand; results belong into benchmarks/results.
soak: build
	python3 Tests/EndToEnd/soak.py --hearth $(RELEASE) --minutes $(MINUTES)

# Prints figures, asserts nothing.
bench: deps
	@echo "==> building the benchmarks in release mode"
	swift build -c release --product CodecBenchmark --static-swift-stdlib
	swift build -c release --product IngestBenchmark --static-swift-stdlib
	swift build -c release --product QueryBenchmark --static-swift-stdlib
	.build/release/CodecBenchmark
	.build/release/IngestBenchmark
	.build/release/QueryBenchmark

lint: deps
	swift format lint --strict --recursive --parallel Sources Tests benchmarks Package.swift

format: deps
	swift format format --in-place --recursive --parallel Sources Tests benchmarks Package.swift

# Installs the Debian packages that the build needs, where they are missing; checks the Swift version.
deps:
	@.ci/deps build

clean:
	rm -rf .build .demo-data .e2e
