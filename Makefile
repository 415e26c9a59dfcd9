# `make demo` and `make test` need python3 >= 3.11 and pip, nothing else.
PYTHON ?= python3
# How many tests run side by side; those against the clock never do.
WORKERS ?= 2
# Which fifth of the long tests `make test-long` runs.
FIFTH ?= 0
VENV ?= .venv
BIN := $(VENV)/bin
# The tests start perftui hundreds of times: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := pyproject.toml constraints.txt $(shell find tui probes scenarios -name __pycache__ -prune -o -type d -print)

.PHONY: demo pictures test test-long test-all lint check clean

# The folders are dependencies too: a strict editable install links files one by one, so that
# a new file is only seen after a new install.
$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -I .ci/environment.py $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	rm -rf build
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' \
		--config-settings editable_mode=strict
	# Python keeps the bytecode of what runs inside programs there: that is nothing new to install.
	find probes/agent probes/sampler -name __pycache__ -prune -o -type d -exec mkdir -p {}/__pycache__ \;
	touch $@

demo: $(VENV)/.installed
	$(BIN)/perftui demo

# Everything in its short form, and the long form of what all else hangs on.
test: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not live or core" -n $(WORKERS) --dist loadgroup --durations=10

# A part of what `make test` leaves out: a run a day has seen everything after five.
test-long: $(VENV)/.installed
	$(BIN)/python -m pytest --long-fifth $(FIFTH) -n $(WORKERS) --dist loadgroup --durations=10

# The long forms too: every installed Python, 20 kills, all scenarios, real programs under alerts.
test-all: $(VENV)/.installed
	$(BIN)/python -m pytest

# The pictures that the tests hold the screens against: look at the difference before it is kept.
pictures: $(VENV)/.installed
	PERFTUI_TAKE_PICTURES=1 $(BIN)/python -m pytest tests/tui/screens/test_pictures.py -q

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p perftui
	$(BIN)/lint-imports

check: lint test

clean:
	rm -rf $(VENV) build dist *.egg-info
