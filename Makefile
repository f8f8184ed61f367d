# Each target is a plain command or two; README and CONTRIBUTING have them for people without make.
PYTHON ?= python3
BIN := .venv/bin
# PIP_FLAGS is for whoever installs once and throws away, as CI does.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS)
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.PHONY: run test check words bench bench-accuracy bench-api bench-drift bench-pages chaos screenshots clean

run: .venv/installed  ## Dashboard on the bundled sample, MLflow's pages and a worker beside it
	$(BIN)/stockcast up

test: .venv/installed-dev  ## All tests, in two processes that take a file at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev  ## Style, types and the import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

words: .venv/installed-dev  ## Brings the catalogues of the pages' languages up to date, and lists what waits for words
	$(BIN)/python -m translations

bench: .venv/installed-dev  ## What things cost, as ratios
	$(BIN)/python -m benchmarks

bench-accuracy: .venv/installed-dev  ## The ladder on panels of real prices; skfolio is wanted for its prices alone
	$(PIP) --no-deps skfolio==1.12.2
	$(BIN)/python -m benchmarks.accuracy

bench-pages: .venv/installed-dev  ## How long pages take, beside a bare Streamlit page with one chart
	$(BIN)/python -m benchmarks.page_speed

bench-drift: .venv/installed-dev  ## False alarms and catches of the drift check, beside textbook tests
	$(PIP) --no-deps skfolio==1.12.2
	$(BIN)/python -m benchmarks.drift_rates

bench-api: .venv/installed-dev  ## The API under load beside a bare FastAPI route, and its memory
	$(BIN)/python -m benchmarks.api_load --predictions 100000 --training
	$(BIN)/python -m benchmarks.api_crowd

chaos: .venv/installed-dev  ## Kills trainings at twenty random moments, on SQLite and PostgreSQL
	STOCKCAST_KILLS=20 $(BIN)/python -m pytest tests/jobs/test_killed_trainings.py

screenshots: .venv/installed-dev  ## The pictures in docs/images, from a real browser
	$(BIN)/python -m benchmarks.screenshots

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -e .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $@

clean:  ## Removes the environment and caches; never your data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
