# make demo and make test need Python 3.11 or newer with pip, and make; they set up the rest by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CAPTURES ?= $(or $(STILLWATCH_CAPTURES),$(wildcard ../shared/captures))
PYTEST_ARGS ?=
EXCHANGES ?= 1000000
BENCH_ARGS ?=
export VENV

.PHONY: help setup demo test check pytest fmt lint types imports docs docs-check golden captures bench-speed bench-detection calibration clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: pyproject.toml tools/setup.sh
	@tools/setup.sh run
	@touch $@

$(VENV)/.dev: pyproject.toml tools/setup.sh
	@tools/setup.sh dev
	@touch $(VENV)/.run $@

$(VENV)/.bench: pyproject.toml tools/setup.sh
	@tools/setup.sh bench
	@touch $(VENV)/.run $@

setup: $(VENV)/.dev ## a virtual environment with everything, and a browser for the tests

demo: $(VENV)/.run ## made-up traffic -> campaigns and a report, in ./stillwatch-demo
	@$(BIN)/stillwatch demo --out stillwatch-demo

test: lint types imports docs-check pytest ## all checks, then all tests; what CI runs

check: test ## the same as test

pytest: $(VENV)/.dev ## the tests alone; PYTEST_ARGS="tests/unit -k settings" narrows them
	@$(PY) -m pytest $(PYTEST_ARGS)

fmt: $(VENV)/.dev ## put the code into the house format
	@$(BIN)/ruff check --fix --quiet src tests tools || true
	@$(BIN)/ruff format src tests tools

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check src tests tools
	@$(BIN)/ruff format --check src tests tools

types: $(VENV)/.dev ## mypy
	@$(BIN)/mypy

imports: $(VENV)/.dev ## each layer imports only those below it
	@$(BIN)/lint-imports --no-cache

docs: $(VENV)/.dev ## write docs/reference from the code
	@$(PY) tools/reference.py

docs-check: $(VENV)/.dev ## is docs/reference fresh?
	@$(PY) tools/reference.py --check

golden: $(VENV)/.dev ## rewrite the expected outputs; read the diff
	@STILLWATCH_GOLDEN=write $(PY) -m pytest -q tests/golden

captures: $(VENV)/.run ## error rates on captured traffic: make captures CAPTURES=folder
	@test -n "$(CAPTURES)" || { echo "error: no captures given"; echo " fix: make captures CAPTURES=folder"; exit 2; } >&2
	@$(BIN)/stillwatch bench captures "$(CAPTURES)"

bench-speed: $(VENV)/.run ## CPU of a scan of a million exchanges against DuckDB's bare parse; EXCHANGES=n for fewer
	@$(BIN)/stillwatch bench speed --exchanges $(EXCHANGES)

bench-detection: $(VENV)/.bench ## find generated campaigns beside other detectors; writes docs/results/detection.md
	@$(BIN)/stillwatch bench detection --page docs/results/detection.md $(BENCH_ARGS)

calibration: $(VENV)/.run ## make the shipped calibration again, from generated benign traffic
	@$(PY) tools/default_calibration.py 24 src/stillwatch/judge/data/calibration.json

clean: ## remove caches and what the demo wrote; the virtual environment stays
	@rm -rf build dist stillwatch-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
