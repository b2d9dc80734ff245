# One-line versions of what CI runs; `make check` is exactly .ci/run without its fresh environment.
PYTHON ?= python

.PHONY: check lint types walls test demo

check: lint types walls test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy

walls:
	lint-imports

test:
	$(PYTHON) -m pytest

demo:
	$(PYTHON) -m linkage demo
