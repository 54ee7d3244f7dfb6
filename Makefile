# Every target does its own set-up, and each step of it only once.
#   make run [ONCE=1]   the demonstration city and the whole street
#   make test           the test suite, against a real MongoDB and a real RabbitMQ
# MONGO_URL, AMQP_URL and AMQP_MANAGEMENT_URL name servers to use instead of our own.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= demo/intake.toml
TESTS ?= tests
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Two processes, a file of tests in one of them, in the order of tests/conftest.py.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

# What setup.py compiles, and what that takes its types from: what is compiled insists on them.
TYPED := constraints.txt setup.py connectors/raw_appeal.py router/dispatch.py $(shell find normalizer router/dispatching -name '*.py')
# Two compilations would write each other's files.
ALONE := $(shell command -v flock >/dev/null && echo flock build/.lock)

MONGOD := .venv/lib/python3*/site-packages/fiftyone/db/bin/mongod
# Third-party servers that the live tests read, each installed once, in a folder of its own.
LIVE := .intake/live

.PHONY: help run setup test live check format bench servers down plain uncompiled lock clean broker compiled FORCE mongo compose mail curl live-servers compiler node java postgresql

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## run the demonstration city; ONCE=1 drains it, prints the balance and exits
	@exec $(BIN)/intake run --embedded --config "$(CONFIG)" $(if $(filter-out 0,$(ONCE)),--once)

setup: $(if $(INTAKE_PLAIN),plain,compiled) .intake/keys/.made mongo broker ## packages, a real MongoDB, a real RabbitMQ, key files

test: setup compose mail curl node java ## the test suite; TESTS=tests/router for a part of it
	$(BIN)/python -m pytest -m "not live" $(SIDE_BY_SIDE) $(TESTS)

live: setup live-servers ## the tests that need more time or servers
	@$(BIN)/python -m pytest -m live $(SIDE_BY_SIDE) $(TESTS) || { status=$$?; [ $$status = 5 ] && echo "no live tests in $(TESTS)" || exit $$status; }

check: .venv/.installed ## linter, formatter, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed ## let the tools mend what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## throughput here, as ratios to baselines measured in the same run
	$(BIN)/python -m bench

servers: setup ## start MongoDB and RabbitMQ and keep them running (make down stops them)
	$(BIN)/intake servers up

down: .venv/.installed ## stop them
	$(BIN)/intake servers down

# Without ensurepip `python3 -m venv` fails half-way: Debian has it in a package of its own.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 以上 / Python 3.11 or newer is needed; name one by PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt "$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	$(PYTHON) -m venv .venv

.venv/.installed: constraints.txt pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement constraints.txt
	INTAKE_PLAIN=1 $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

compiled: | .venv/.installed
	@mkdir -p build && $(ALONE) $(MAKE) --no-print-directory .venv/.compiled

# Holds what was compiled of what: Python would take an older compiled module before its source. By content, for a release
# that is unpacked here is older than what was compiled of the one before; and as it was when the compiler began.
.venv/.compiled: FORCE
	@sha256sum --check --status $@ 2>/dev/null || $(MAKE) --no-print-directory compile

.PHONY: compile
compile: uncompiled
	@$(MAKE) --no-print-directory compiler || true
	@echo "编译热路径，约一分钟 · compiling the hot path, about a minute"
	@[ -e build/whole ] || rm -rf build/lib.*
	@rm -f build/whole && sha256sum $(TYPED) > build/compiled
	@$(BIN)/python setup.py --quiet build_ext --inplace > build/compile.log 2>&1 \
	    || { cat build/compile.log >&2; echo "编译未成，现按源码运行；不编译就用 INTAKE_PLAIN=1 make … · not compiled, the sources run as they are; INTAKE_PLAIN=1 make ... compiles nothing" >&2; exit 1; }
	@find normalizer router -name '*.so' -exec sha256sum {} + >> build/compiled
	@compgen -G 'normalizer/*.so' >/dev/null || echo "没有 C 编译器，按源码运行，每条诉求多用约三分之一的 CPU · no C compiler: a third more CPU an appeal"
	@touch build/whole && mv build/compiled .venv/.compiled

uncompiled:
	@rm -f .venv/.compiled
	@find normalizer router -name '*.so' -delete

plain: uncompiled ## run the sources as they are, not compiled, until the next make setup

.intake/keys/.made: | .venv/.installed
	@$(BIN)/python -c 'from pathlib import Path; from intake.keys import make_keys; make_keys(Path(".intake/keys"))'
	@touch $@

# The mongod that came with the packages needs a library that a bare Debian has not.
mongo: | .venv/.installed
	@[ -n "$${MONGO_URL:-}" ] || command -v mongod >/dev/null || ! compgen -G '$(MONGOD)' >/dev/null || $(MONGOD) --version >/dev/null 2>&1 || .ci/apt libcurl4

broker:
	@[ -n "$${AMQP_URL:-}" ] || command -v rabbitmq-server >/dev/null || compgen -G '/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server' >/dev/null || .ci/apt rabbitmq-server

mail: # a real IMAP server, for the tests alone
	@command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] || .ci/apt dovecot-imapd

curl: # the pages' own lines are run
	@command -v curl >/dev/null || .ci/apt curl

# Only validates docker-compose.yml (no engine is needed); where it can't be had, that one test says so and is skipped.
compose:
	@command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || .ci/apt docker-compose || true

live-servers: $(addprefix $(LIVE)/,isso/.installed misago/.installed roundup/.installed waline/.installed) postgresql

$(LIVE)/waline/.installed: tests/live/servers/waline/package.json | node
	@mkdir -p $(@D) && cp $< $(@D)/
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(@D)
	@touch $@

$(LIVE)/%/.installed: tests/live/servers/%/requirements.txt | .venv/bin/python compiler
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --requirement $<
	@touch $@

# Isso brings a package that has to be compiled.
compiler:
	@command -v cc >/dev/null && [ -e "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] \
	    || .ci/apt gcc libc6-dev libpython3-dev

node:
	@command -v npm >/dev/null || .ci/apt nodejs npm

# The departments' programs of docs/consumers are run by a test.
java:
	@command -v javac >/dev/null || .ci/apt default-jdk-headless
	@[ -e /usr/share/java/amqp-client.jar ] && [ -e /usr/share/java/gson.jar ] || .ci/apt librabbitmq-client-java libgoogle-gson-java

postgresql:
	@compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || .ci/apt postgresql

lock: ## resolve constraints.txt anew from pyproject.toml (needs uv: pip install uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --extra dev --extra servers --extra bench pyproject.toml --output-file constraints.txt

clean: uncompiled ## remove what was built; data and keys under .intake stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
