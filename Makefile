# joinedup: `make demo` shows it, `make test` proves it. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first of these that is 3.11, 3.12 or 3.13; `make PYTHON=/path/to/python demo` chooses another.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	if "$$name" -c '$(FITS)' 2>/dev/null; then echo "$$name"; break; fi; done)

PEOPLE ?= 20000
BIN := .venv/bin
INSTALLED := .venv/.installed
# Files go to whichever core is free, in their order; tests/conftest.py keeps together what shares a long story.
BOTH_CORES := --numprocesses auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder
CACHES := .mypy_cache .ruff_cache .pytest_cache .hypothesis build joinedup.egg-info

.PHONY: help demo up test check bench bench-accuracy bench-speed bench-incremental pythons spark lock clean clean-warehouse

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(INSTALLED) ## Two periods of every agency, from files to a published release, in one command
	@$(BIN)/joinedup demo --people $(PEOPLE)

up: $(INSTALLED) ## Airflow's UI with the DAGs, on this machine, until Ctrl-C
	@$(BIN)/joinedup up

test: $(INSTALLED) ## Everything that proves it works (under 10 minutes on 2 cores)
	@$(BIN)/python -m pytest $(BOTH_CORES)

check: $(INSTALLED) ## What takes seconds: ruff, mypy, unit and spec tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q $(BOTH_CORES) tests/unit tests/spec

bench: $(INSTALLED) ## Seconds per stage and quality of the links, in a warehouse of its own
	@$(BIN)/python -m benchmarks

bench-accuracy: $(INSTALLED) ## How right the links are, beside Splink and recordlinkage (FAKE_1000=path adds that data)
	@$(BIN)/python -W ignore -m benchmarks.accuracy $(if $(FAKE_1000),--fake-1000 "$(FAKE_1000)")

bench-speed: $(INSTALLED) ## How fast linking is, beside Splink, on a million records
	@$(BIN)/python -m benchmarks.speed

bench-incremental: $(INSTALLED) ## What a run costs that goes on from the run before, on a million records
	@$(BIN)/python -W ignore -m benchmarks.incremental

pythons: ## Install the pins and run the fast tests on each supported Python that is present
	@for name in python3.11 python3.12 python3.13; do \
		"$$name" -c '$(FITS)' 2>/dev/null || { echo "$$name is not here"; continue; }; \
		folder=$$(mktemp -d); echo "$$name: installing the pins ..."; \
		"$$name" -m venv "$$folder" && \
		"$$folder/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[embedded,synth,splink,dev]' && \
		"$$folder/bin/python" -m pytest -q -p no:cacheprovider tests/unit tests/spec; \
		result=$$?; rm -rf "$$folder"; test $$result -eq 0 || exit $$result; \
	done

# Spark does not go with Great Expectations in one environment, so it has its own, without Airflow and the warehouse.
SPARK := .venv-spark
SPARK_NEEDS := doublemetaphone hypothesis nicknames numba numpy pandas pyarrow pydantic pytest pyyaml rapidfuzz recordlinkage scipy splink

spark: ## Splink on a real Spark cluster of two workers on this machine (needs Java 17 or later)
	@test -e $(SPARK)/.installed || { $(PYTHON) -m venv $(SPARK) && \
		$(SPARK)/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt $(SPARK_NEEDS) pyspark==4.3.0 && \
		touch $(SPARK)/.installed; }
	@$(SPARK)/bin/python -m pytest -q --noconftest -p no:cacheprovider -o timeout=0 -W ignore tests/spark

lock: $(INSTALLED) ## Resolve constraints.txt again, for every supported Python at once
	@$(BIN)/uv pip compile pyproject.toml --universal --all-extras --python-version 3.11 --upgrade \
		--no-emit-index-url --no-header --no-annotate --quiet --output-file constraints.txt

clean: ## Remove .venv and caches; never a warehouse
	@rm -rf .venv $(SPARK) $(CACHES)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed .venv and caches. The warehouse, extracts and reports are kept."
	@echo "To delete those too, for good: make clean-warehouse CONFIRM=yes"

clean-warehouse: ## Delete the warehouse, extracts and reports for good (CONFIRM=yes)
	@test "$(CONFIRM)" = yes || { echo "This deletes data for good. Say: make clean-warehouse CONFIRM=yes"; exit 1; }
	@$(MAKE) --no-print-directory $(INSTALLED)
	@$(BIN)/python -c "from pipelines.warehouse.server import delete_server; delete_server()"
	@$(BIN)/python -c "from pipelines.demo.home import remove_demo_settings; remove_demo_settings()"
	@home="$${JOINEDUP_HOME:-.joinedup}"; \
		for part in inbox archive truth reports gx demo airflow key inbox-state.json .postgres.lock; do rm -rf "$${home:?}/$$part"; done; \
		rmdir "$$home" 2>/dev/null || true; echo "Deleted the warehouse, extracts and reports of $$home."

# The stamp is newer than what it was made from, so nothing is installed twice.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "joinedup needs Python 3.11, 3.12 or 3.13, and found none."; exit 1; }
	@echo "Installing into .venv with $$($(PYTHON) --version); the first time takes minutes ..."
	@started=$$(date +%s); \
		$(PYTHON) -m venv .venv || { echo "No venv module: on Debian and Ubuntu, apt install python3-venv."; exit 1; } && \
		$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[embedded,synth,splink,dev]' && \
		touch $@ && \
		echo "Installed in $$(( $$(date +%s) - started )) s."
