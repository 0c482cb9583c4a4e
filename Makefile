# Every target works on a fresh checkout: it first makes .venv from the locked requirements.
# PYTHON=python3.12 make test    takes another interpreter (3.11, 3.12 or 3.13).
# VENV=/tmp/venv make test       keeps the environment elsewhere.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PYTEST := $(PY) -m pytest
# In CI a skipped test is a failed run: everything a test needs is installed there.
ifeq ($(CI),true)
PYTEST += -p tests.ci_skips
endif
SUITES := $(wildcard tests/unit tests/contract tests/conformance tests/w3c tests/integration)
CODE := $(wildcard gateway adapters import_export simulators bench tests packaging)

.PHONY: help
help:  ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: venv
venv: $(STAMP)  ## Create .venv from requirements.lock (needs python3-venv and the network once)

# The lock file keeps two makes started at once from writing into one half-made environment.
$(STAMP): requirements.lock pyproject.toml
	@exec 9>"$(abspath $(VENV)).lock"; flock 9; \
	if [ -f $@ ] && [ $@ -nt requirements.lock ] && [ $@ -nt pyproject.toml ]; then exit 0; fi; \
	packaging/venv.sh "$(PYTHON)" "$(VENV)"; \
	touch $@

.PHONY: test
test: $(STAMP)  ## Run unit, contract, conformance and integration tests
	$(PYTEST) -n auto $(SUITES)

.PHONY: unit
unit: $(STAMP)  ## Run the unit tests only: no database, no network
	$(PYTEST) -n auto tests/unit

.PHONY: check
check: $(STAMP)  ## Lint, format, types and import rules
	$(VENV)/bin/ruff check $(CODE)
	$(VENV)/bin/ruff format --check $(CODE)
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

# What accept and soap are measured against, beside the environment (x86_64 only).
PEERS := build/bench-peers/.installed
$(PEERS): bench/requirements.txt $(STAMP)
	rm -rf $(@D)
	$(PY) -m pip install --quiet --no-deps --require-hashes --target $(@D) -r bench/requirements.txt
	touch $@

.PHONY: bench
bench: $(PEERS)  ## Measure every figure against its peer and its limit (quiet machine, wrk)
	code=0; for each in accept dispatch idle; do \
	  $(PY) -m bench.$$each $(BENCH_ARGS) || { got=$$?; [ $$code -eq 1 ] || code=$$got; }; done; \
	$(PY) -m bench.results; exit $$code

.PHONY: bench-accept
bench-accept: $(PEERS)  ## Accepting over SOAP, against spyne with an ORM and against the bare store
	$(PY) -m bench.accept $(BENCH_ARGS)

.PHONY: bench-dispatch
bench-dispatch: $(STAMP)  ## Delivering, against a plain HTTP client loop
	$(PY) -m bench.dispatch $(BENCH_ARGS)

.PHONY: bench-idle
bench-idle: $(STAMP)  ## What an idle gateway with its database takes of a core
	$(PY) -m bench.idle $(BENCH_ARGS)

.PHONY: bench-soap
bench-soap: $(PEERS)  ## The SOAP engine against spyne, its signatures against xmlsec
	$(PY) -m bench.soap $(BENCH_ARGS)

.PHONY: bench-channels
bench-channels: $(STAMP)  ## What the channels cost: decoding, packages of ССТУ, a whole round on the stand
	$(PY) -m bench.channels $(BENCH_ARGS)

.PHONY: bench-fias
bench-fias: $(STAMP)  ## Addresses: loading, resolving, completing, parsing (BENCH_ARGS=--short: the short form)
	$(PY) -m bench.fias $(BENCH_ARGS)

.PHONY: bench-trust
bench-trust: $(STAMP)  ## Signing, the exchange of СМЭВ, the policy (needs libengine-gost-openssl)
	$(PY) -m bench.trust $(BENCH_ARGS)

.PHONY: bench-mtom
bench-mtom: $(STAMP)  ## The memory that 500 MB by MTOM take, in and out (minutes, 5 GB of disk)
	$(PY) -m bench.mtom $(BENCH_ARGS)

.PHONY: bench-scale
bench-scale: $(STAMP)  ## The same work with 2,000,000 appeals stored, by count (minutes, 20 GB of disk)
	$(PY) -m bench.scale $(BENCH_ARGS)

.PHONY: format
format: $(STAMP)  ## Apply the formatter and the safe fixes of the linter
	$(VENV)/bin/ruff format $(CODE)
	$(VENV)/bin/ruff check --fix $(CODE)

.PHONY: docs
docs: $(STAMP)  ## Write the reference pages that are made from the code
	$(PY) packaging/reference.py

.PHONY: conformance
conformance: $(STAMP)  ## Print a row per adapter: grade, mapped, extras, lost, refusals of its simulator
	$(PY) -m tests.conformance.report
	$(PY) -m tests.contract.report

.PHONY: demo
demo: $(STAMP)  ## Tell the whole story with made-up appeals; the last line is JSON
	$(PY) -m simulators.demo

.PHONY: stand
stand: $(STAMP)  ## Keep the gateway and its simulators running and print their addresses
	$(PY) -m simulators.stand

KILLS ?= 50
.PHONY: survive
survive: $(STAMP)  ## Kill everything fifty times and count what is left (KILLS=5: the short form)
	$(PY) -m tests.survive --kills $(KILLS)

.PHONY: interop
interop: $(STAMP)  ## Run live SOAP clients (Mono, Java, PHP, node, gSOAP, zeep) against the gateway
	$(PY) -m tests.interop $(INTEROP_ARGS)

.PHONY: attack
attack: $(STAMP)  ## Attack a whole gateway and see what honest callers notice (ATTACK_ARGS=--short)
	$(PY) -m tests.attack $(ATTACK_ARGS)

N ?= 200000
.PHONY: fuzz
fuzz: $(STAMP)  ## Send mutated envelopes: every answer is a fault or a result (N=5000: the short form)
	$(PY) -m tests.fuzz --cases $(N)

.PHONY: wheel
wheel: $(STAMP)  ## Build the wheel into dist/
	$(PY) -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .

.PHONY: bundle
bundle: $(STAMP)  ## Make the offline bundle in dist/: wheels, units, installer
	$(PY) packaging/bundle.py --out dist

.PHONY: lock
lock:  ## Write requirements.lock anew from pyproject.toml (needs uv and the network)
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 \
	  -o requirements.lock

.PHONY: clean
clean:  ## Remove what the other targets made, the environment included
	rm -rf .venv .venv.lock dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
