# Every target makes its own environment when it is missing. On a fresh machine with Python 3.11: `make serve`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BROWSER := .venv/.browser
# What npm and the build of the editor write last.
MODULES := server/web/node_modules/.package-lock.json
ASSETS := server/interpol_graph/static/vendor/LICENSES.txt
# A file of tests stays in one process, so that what it starts is started once; in the order of names none of the long ones is last.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: serve assets test attack test-slow test-engines check fmt wheel

$(READY): pyproject.toml
	@echo "Setting up .venv (once; a minute or two) …"
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

serve: $(READY) ## serve the graph on http://127.0.0.1:8000/
	@PIP_RETRIES=0 NPM_CONFIG_FETCH_RETRIES=0 NPM_CONFIG_FETCH_TIMEOUT=20000 $(MAKE) --silent assets 2>/dev/null || \
		echo "The editor of /sparql is not built and a plain text field stands there: npm is not to be had (make assets says why)."
	@$(BIN)/interpol-graph serve

assets: $(ASSETS) ## build the editor of /sparql, with Node and npm of the system or, without them, from PyPI

$(MODULES): server/web/package-lock.json | $(READY)
	@echo "Fetching what the editor is built of …"
	@{ node -e 'process.exit(process.versions.node.split(".")[0] < 18)' && command -v npm; } >/dev/null 2>&1 || \
		$(BIN)/python -m pip install --quiet --group node
	@PATH="$(CURDIR)/$(BIN):$$PATH" && cd server/web && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(ASSETS): $(MODULES) server/web/build.js $(wildcard server/web/src/*.js)
	@PATH="$(CURDIR)/$(BIN):$$PATH" && cd server/web && npm run --silent build

$(BROWSER): $(READY)
	@$(BIN)/python tests/browser.py
	@touch $@

test: $(READY) $(ASSETS) $(BROWSER) ## everything that must hold: lint, types, validation, tests
	@echo "Checking style and types …"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@echo "Running the tests …"
	@$(PYTEST)

attack: $(READY) ## hostile queries and requests in bulk, one after the other, a quarter of an hour of them
	@$(PYTEST) --maxprocesses 1 -m "attack or not attack" tests/test_attacks*.py

test-slow: $(READY) $(ASSETS) $(BROWSER) ## what another SHACL engine says of every case, and the wheel in an environment of its own
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

wheel: $(READY) $(ASSETS) ## build the wheel into dist/
	@$(BIN)/python -m build --wheel
