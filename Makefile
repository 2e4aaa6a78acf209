# The four commands of the README: demo, test, lint, bench. A virtual environment of its own, from the hash locks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint bench bench-serve story

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY)   ## four commits in a throw-away repository: passed, refused, new data, leak
	$(BIN)/mlops-ci demo

test: $(READY)   ## every test this machine has the parts for
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)   ## ruff and mypy, strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## timings against peers, as ratios, and how often verdicts are right
	$(BIN)/python -m bench

bench-serve: $(READY)  ## a served model against MLflow, BentoML, MLServer, LitServe and FastAPI; needs wrk
	$(BIN)/python -m bench.serving

story: $(READY)  ## a pull request from init to merge and release: the generated workflows executed, kept in ./story for reading
	$(BIN)/python -m tests.github.story story
