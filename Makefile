# The two commands of the README: `make up` and `make test`. Both set up .venv by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR := .moontide
# Many tests wait for processes and servers, so that more go on at once than there are processors.
TEST_PROCESSES ?= 3
# Where the homes of tests keep their runs: sqlite or postgresql.
DATABASE ?= sqlite

.DEFAULT_GOAL := help
.PHONY: help up test lint types contracts unit prove bench bench-check reference schema clean

help:
	@echo "make up         start the engine on jobs/ and show its dashboard"
	@echo "make test       everything CI checks: format, lint, types, import contracts, tests"
	@echo "make prove      try for long what is promised, and print what held"
	@echo "make bench      measure speed and memory, and print the figures"
	@echo "make bench-check  find what became slower than bench/budget.toml allows"
	@echo "make reference  write docs/core/reference.md anew from the declarations"
	@echo "make schema     write engine/store/migrations/sqlite.sql anew from the revisions"
	@echo "make clean      remove .venv and the home folder $(HOME_DIR)"

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

up: $(VENV)/installed
	@MOONTIDE_JOBS="$${MOONTIDE_JOBS:-$(CURDIR)/jobs}" exec $(BIN)/moontide --home $(HOME_DIR) up

test: lint types contracts unit

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/installed
	$(BIN)/mypy

contracts: $(VENV)/installed
	$(BIN)/lint-imports

unit: $(VENV)/installed
	TEST_DATABASE=$(DATABASE) $(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

prove: $(VENV)/installed
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --group prove
	$(BIN)/python -m tests.prove $(PROVE)

bench: $(VENV)/installed
	$(BIN)/python -m bench

bench-check: $(VENV)/installed
	$(BIN)/python -m bench.check

reference: $(VENV)/installed
	$(BIN)/python -m engine.reference docs/core/reference.md

schema: $(VENV)/installed
	$(BIN)/python -m engine.store.schema engine/store/migrations/sqlite.sql

clean:
	rm -rf $(VENV) $(HOME_DIR)
