# `make demo` and `make test` need python3 >= 3.11 and pip, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt $(shell find tui probes scenarios -type d)

.PHONY: demo test test-all lint check clean

# The folders are dependencies too: a strict editable install links files one by one, so that
# a new file is only seen after a new install.
$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -I .ci/environment.py $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	rm -rf build
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' \
		--config-settings editable_mode=strict
	touch $@

demo: $(VENV)/.installed
	$(BIN)/perftui demo

# Everything in its short form, and the long form of what all else hangs on.
test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not live or core" --durations=10

# The long forms too: every installed Python, 20 kills, all scenarios, real programs under alerts.
test-all: $(VENV)/.installed
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p perftui
	$(BIN)/lint-imports

check: lint test

clean:
	rm -rf $(VENV) build dist *.egg-info
