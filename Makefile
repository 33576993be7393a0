# Every target sets itself up; all it needs is Python 3.11 or newer, make and, for durable-rules, a C compiler.
# What is missing is said, with the one line that installs it. Written for GNU make 3.81 and newer.
#
#   make install PYTHON=python3.12      use this interpreter (an environment of another version is made anew)
#   make install BOTOPT_NO_DURABLE=1    leave durable-rules out: no C compiler needed, same decisions, slower matcher
#   make test VENV=.venv-3.12           use another environment

VENV ?= .venv
BIN := $(VENV)/bin
SETUP := sh scripts/setup.sh
PROOF ?= proof.jsonl
export VENV

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install dev demo test soak other-pythons lint format bench study docs image image-test constraints clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

install: ## Make .venv and install botopt into it: .venv/bin/botopt
	@$(SETUP) install

dev:
	@$(SETUP) dev

demo: install ## Decide a sample of events and show every decision
	$(BIN)/botopt replay examples/events.jsonl

test: lint ## Lint, then run the tests
	@$(SETUP) browser
	@$(SETUP) clients
	$(BIN)/python -m pytest -q -n auto --maxprocesses 8

lint: dev ## Check style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

soak: dev ## Run the slow forms of the tests that kill, break and fuzz (40 minutes), and print what the service's proof found
	BOTOPT_SOAK=1 BOTOPT_FUZZ=30 $(BIN)/python -m pytest -q tests/verify/test_kills.py tests/verify/test_resume.py tests/hostile \
		tests/runtime/test_groups.py tests/container
	@rm -f $(PROOF)
	BOTOPT_SOAK=1 BOTOPT_PROOF=$(abspath $(PROOF)) $(BIN)/python -m pytest -q -n 2 tests/proof
	@$(BIN)/python -m tests.proof.reporting $(PROOF)

other-pythons: dev ## Run the tests that compare bytes on every other Python of this machine
	@sh scripts/other_pythons.sh

bench: dev ## Measure speed and memory beside other rules engines (an hour; see benchmarks/README.md)
	$(BIN)/python -m benchmarks

study: dev ## Ask the laws of learning on fresh seeds; writes benchmarks/learning.md (an hour)
	$(BIN)/python -m benchmarks.study

docs: ## Build the documentation into site/
	@$(SETUP) docs
	@# The theme's notice about the future of MkDocs is not about these pages.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

image: ## Build the container image (docker, podman or buildah; BASE=… is what it stands on)
	@sh scripts/image.sh build

image-test: dev ## Build the image without an engine and try it out (Linux, as root, with buildah and debootstrap)
	BOTOPT_IMAGE=1 $(BIN)/python -m pytest -q tests/container

constraints: ## Resolve constraints.txt anew
	@$(SETUP) constraints

clean: ## Remove what these targets made
	rm -rf $(VENV) $(PROOF) .node site dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find botopt tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
