# Every target honours PORT and DATA_DIR: make demo PORT=9000 DATA_DIR=/tmp/try

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Each file stays with one worker, which has servers of its own: more workers than four cost more than they save.
# Beside others a test may take twice as long.
AT_ONCE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --timeout 40
CHINESE_FONT := /usr/share/fonts/truetype/wqy/wqy-microhei.ttc
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

ifdef PORT
export GROK_APP_PORT := $(PORT)
endif
ifdef DATA_DIR
export GROK_APP_DATA_DIR := $(abspath $(DATA_DIR))
endif

.DEFAULT_GOAL := help
.PHONY: help install demo run dev test lint check bench screenshots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Make the virtual environment .venv

demo: $(INSTALLED) ## Try everything without a Grok account
	@$(BIN)/grok-app demo

run: $(INSTALLED) ## Serve, with the real Grok as upstream
	@$(BIN)/grok-app run

dev: $(INSTALLED) ## Serve on one port and reload when a file changes
	@$(BIN)/reflex run --env preview

test: $(INSTALLED) /usr/bin/chromium ## Run all tests, several at once
	@$(BIN)/grok-app build && $(BIN)/pytest $(AT_ONCE)

lint: $(INSTALLED) ## Check format, style, types and layers
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

check: lint test ## Run the whole gate: lint, then all tests

bench: $(INSTALLED) ## Measure speed against the sandbox
	@$(BIN)/python -m benchmarks

screenshots: $(INSTALLED) /usr/bin/chromium $(CHINESE_FONT) ## Take the pictures in docs/screenshots anew
	@$(BIN)/python -m tests.e2e.screenshots

clean: ## Remove what was built or installed, but no data
	@rm -rf .venv .web .states .reflex assets/external *.egg-info .*_cache .hypothesis && find . -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@

/usr/bin/chromium:
	@$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq --yes --no-install-recommends chromium

$(CHINESE_FONT):
	@$(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -qq --yes --no-install-recommends fonts-wqy-microhei
