# Each target is a plain command or two; README and CONTRIBUTING have them for people without make.
PYTHON ?= python3
BIN := .venv/bin
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.PHONY: run test check bench bench-accuracy chaos screenshots clean

run: .venv/installed  ## Dashboard on the bundled sample, MLflow's pages and a worker beside it
	$(BIN)/stockcast up

test: .venv/installed-dev  ## All tests
	$(BIN)/python -m pytest

check: .venv/installed-dev  ## Style, types and the import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev  ## What things cost, as ratios
	$(BIN)/python -m benchmarks

bench-accuracy: .venv/installed-dev  ## The ladder on panels of real prices; skfolio is wanted for its prices alone
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps skfolio==1.12.2
	$(BIN)/python -m benchmarks.accuracy

chaos: .venv/installed-dev  ## Kills trainings at twenty random moments, on SQLite and PostgreSQL
	STOCKCAST_KILLS=20 $(BIN)/python -m pytest tests/jobs/test_killed_trainings.py

screenshots: .venv/installed-dev  ## The pictures in docs/images, from a real browser
	$(BIN)/python -m benchmarks.screenshots

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:  ## Removes the environment and caches; never your data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
