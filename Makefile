# Each target prepares what it needs. ARGS is passed on: make run ARGS="--params photos=..."
.DEFAULT_GOAL := help
.PHONY: help run sample test test-cloud lint viz bench classify predict backbone protocols bundle cost lock clean ipython

# The first interpreter that fits pyproject.toml, or yours: make run PYTHON=python3.12
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SAMPLE := data/01_raw/sample
ARGS ?=

export PYTHONPATH := $(CURDIR)/src
export DO_NOT_TRACK := 1

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The sample is for runs that name neither photos nor another environment.
PHOTOS = $(if $(findstring photos=,$(ARGS))$(findstring --env,$(ARGS)),,$(SAMPLE))

run: $(VENV)/.run-ready $(PHOTOS)  ## Photos to reduced vectors, with figures
	$(BIN)/kedro run $(ARGS)

sample: $(SAMPLE)  ## Render photos of fruit to start with

$(SAMPLE): | $(VENV)/.run-ready
	$(BIN)/kedro run --pipelines sample

test: $(VENV)/.dev-ready  ## The tests of the chain on this machine, with coverage
	$(BIN)/python -m pytest -m "not cloud" --cov --cov-report=term $(ARGS)

test-cloud: $(VENV)/.dev-ready  ## The chain on S3, EC2 and a cluster, all of them on the loopback
	$(BIN)/python -m pytest -m cloud $(ARGS)

lint: $(VENV)/.dev-ready  ## Format, lint, types, and which module may import what
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

viz: $(VENV)/.dev-ready  ## The pipeline and its figures, in a browser
	$(BIN)/kedro viz run $(ARGS)

ipython: $(VENV)/.dev-ready  ## IPython with the catalog: catalog.load("features@spark")
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/kedro ipython $(ARGS)

bench: $(VENV)/.dev-ready $(PEERS)/.ready $(SAMPLE)  ## Speed and memory, against a plain loop and others
	$(BIN)/python -m benchmarks $(ARGS)

classify: $(VENV)/.run-ready  ## Reduced vectors to a classifier, its test and a phone model
	$(BIN)/kedro run --pipelines classify $(ARGS)

predict: $(VENV)/.run-ready  ## Name the fruit in photos: make predict ARGS="a.jpg b.jpg"
	@$(BIN)/python -m fruits_pipeline.predict $(ARGS)

backbone: $(VENV)/.dev-ready $(PHOTOS)  ## Train a backbone as parameters_backbone.yml says
	$(BIN)/kedro run --pipelines ingest,preprocess,backbone $(ARGS)

protocols: $(VENV)/.dev-ready  ## How good the features are; trains what it needs, for an hour or two
	$(BIN)/python -m protocols $(ARGS)

bundle: $(VENV)/.dev-ready  ## Pack what a server without internet needs
	$(BIN)/python deploy/bundle.py

cost: $(VENV)/.run-ready  ## What a run on AWS would cost
	@$(BIN)/python deploy/cost.py $(ARGS)

lock: $(VENV)/.dev-ready  ## Resolve the dependencies anew
	$(BIN)/uv pip compile $(LOCKING) -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-dev.lock --extra dev -c requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-peers.lock --extra peers pyproject.toml

LOCKING := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean:  ## Remove the environments, not the data
	rm -rf $(VENV) $(PEERS)

$(VENV)/.run-ready: requirements.lock
	@test -n "$(PYTHON)" || { echo "Found no Python 3.11 to 3.13; install one, or name it: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	touch $@

$(VENV)/.dev-ready: requirements-dev.lock $(VENV)/.run-ready
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	touch $@

# Of the tools that the benchmarks compare with: they ask for other versions than ours.
$(PEERS)/.ready: requirements-peers.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r requirements-peers.lock
	touch $@
