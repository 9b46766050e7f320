# Every target makes its own environment when it is missing. On a fresh machine with Python 3.11: `make serve`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# A file of tests stays in one process, so that what it starts is started once; in the order of names none of the long ones is last.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: serve test attack test-slow test-engines check fmt wheel

$(READY): pyproject.toml
	@echo "Setting up .venv (once; a minute or two) …"
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

serve: $(READY) ## serve the graph on http://127.0.0.1:8000/
	@$(BIN)/interpol-graph serve

test: $(READY) ## everything that must hold: lint, types, validation, tests
	@echo "Checking style and types …"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@echo "Running the tests …"
	@$(PYTEST)

attack: $(READY) ## hostile queries and requests in bulk, one after the other, a quarter of an hour of them
	@$(PYTEST) --maxprocesses 1 -m "attack or not attack" tests/test_attacks*.py

test-slow: $(READY) ## what another SHACL engine says of every case, and the wheel in an environment of its own
	@$(PYTEST) -m slow

test-engines: $(READY) ## the graph in Oxigraph's server and in Virtuoso, and three copies behind nginx
	@for each in virtuoso-t:virtuoso-opensource-7-bin nginx:nginx wrk:wrk; do command -v $${each%:*} >/dev/null || { echo "$${each%:*} is missing: apt-get install $${each#*:}" >&2; exit 2; }; done
	@$(PYTEST) --maxprocesses 1 -m engines

check: $(READY) ## validate the data
	@$(BIN)/interpol-graph validate

fmt: $(READY) ## format Turtle and Python in place
	@$(BIN)/interpol-graph fmt
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

wheel: $(READY) ## build the wheel into dist/
	@$(BIN)/python -m build --wheel
