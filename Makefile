# Every target installs what it needs. ARGS is passed to the command: make run ARGS="--params photos=..."
.DEFAULT_GOAL := help
.PHONY: help run sample classify check mend tidy forget similar predict app app-serve app-publish app-pictures test-app viz ipython notebook pictures backbone phone-model dev test test-system test-cloud fuzz chaos lint bench protocols bundle image submit cost prices simulate lock lock-spark40 clean

# The newest supported interpreter; choose another one with PYTHON=python3.12
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
PEERS := .venv-peers
SPARK40 := .venv-spark40
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SAMPLE := data/01_raw/sample
PICTURES := build/pictures
CONTAINER ?= docker
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' src/fruits_pipeline/__init__.py)
APP_MODEL := build/app/phone_model.tflite
ARGS ?=

export PYTHONPATH := $(CURDIR)/src
export DO_NOT_TRACK := 1

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo 'Options: make run ARGS="--params photos=<folder>,root=<folder>"; see README.md.'

# Runs that set neither photos nor an environment use the sample.
PHOTOS = $(if $(findstring photos=,$(ARGS))$(findstring --env,$(ARGS)),,$(SAMPLE))

run: $(VENV)/.run-ready $(PHOTOS)  ## Run the pipeline: photos to reduced vectors and figures
	$(BIN)/kedro run $(ARGS)

sample: $(SAMPLE)  ## Render the sample photos, if they do not exist

$(SAMPLE): | $(VENV)/.run-ready
	$(BIN)/kedro run --pipelines sample

classify: $(VENV)/.run-ready  ## Train and evaluate a classifier after a run; write the phone model
	$(BIN)/kedro run --pipelines classify $(ARGS)

check: $(VENV)/.run-ready  ## Verify all files below root: make check ARGS="--params photos=...,root=..."
	$(BIN)/kedro run --pipelines check $(ARGS)

mend: $(VENV)/.run-ready  ## Repair what `make check` has found, with the same ARGS
	$(BIN)/kedro run --pipelines mend $(ARGS)

tidy: $(VENV)/.run-ready  ## Combine small batches and delete expired files, with the same ARGS
	$(BIN)/kedro run --pipelines tidy $(ARGS)

forget: $(VENV)/.run-ready  ## Erase photos: make forget ARGS="<path or photo_id>... --params photos=...,root=..."
	$(BIN)/kedro forget $(ARGS)

similar: $(VENV)/.run-ready  ## Find similar photos: make similar ARGS="a.jpg --params root=..."
	@$(BIN)/kedro similar $(ARGS)

predict: $(VENV)/.run-ready  ## Classify photos: make predict ARGS="a.jpg folder --params root=... --csv"
	@$(BIN)/kedro predict $(ARGS)

app: $(APP_MODEL)  ## Build the app for phones in dist/app, with the model that `make predict` uses
	cd app && npm run --silent build -- --model ../$(APP_MODEL)

app-serve:  ## Serve dist/app on this machine
	@cd app && npm run --silent serve

app-publish: $(VENV)/.run-ready  ## Upload dist/app to its bucket: make app-publish STACK=<stack of deploy/app.yaml>
	@$(BIN)/python deploy/publish_app.py $(STACK)

app-pictures: app  ## Create the pictures of the app in the documentation
	cd app && node pictures.mjs

# Its prerequisites differ with ARGS, so it is always written.
.PHONY: $(APP_MODEL)
$(APP_MODEL): $(VENV)/.run-ready app/node_modules/.ready
	$(BIN)/python app/phone_model.py $@ $(ARGS)

app/node_modules/.ready: app/package-lock.json
	@command -v npm >/dev/null || { echo "Found no npm; expected Node.js 20 or later, which only the app needs." >&2; exit 1; }
	cd app && npm ci --silent
	touch $@

viz: $(VENV)/.viz-ready  ## Look at the pipeline, its tables and figures in a browser
	@echo 'Without a browser on this machine: forward the port with `ssh -L 4141:127.0.0.1:4141 <this machine>`, and'
	@echo 'open the address below on your own machine; or listen on all addresses with ARGS="--host 0.0.0.0 --port 4141".'
	@echo 'Kedro-Viz has no password: whoever reaches the port can see the photos. Ctrl-C ends it.'
	@$(BIN)/kedro viz run $(ARGS)

ipython: $(VENV)/.dev-ready  ## Start IPython with the catalog: catalog.load("features@spark")
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/kedro ipython $(ARGS)

notebook: $(VENV)/.notebook-ready  ## Start JupyterLab with the notebooks: make notebook ARGS="--no-browser"
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/first_look.ipynb $(ARGS)

# Of rendered photos, because photos of others are not ours to publish.
pictures: $(VENV)/.run-ready  ## Create the pictures of the documentation from rendered photos
	rm -rf $(PICTURES)
	$(BIN)/kedro run --pipelines sample --params root=$(PICTURES),sample.frames_per_series=24
	$(BIN)/kedro run --params photos=$(PICTURES)/01_raw/sample,root=$(PICTURES),report.explore=true
	$(BIN)/python -c "from PIL import Image; Image.open('$(PICTURES)/08_reporting/atlas.png').quantize().save('docs/atlas.png', optimize=True)"

backbone: $(VENV)/.dev-ready $(PHOTOS)  ## Build a backbone as configured in parameters_backbone.yml
	$(BIN)/kedro run --pipelines ingest,preprocess,backbone $(ARGS)

dev: $(VENV)/.dev-ready  ## Install the development tools and the pre-commit hook
	$(BIN)/pre-commit install

test: $(VENV)/.dev-ready  ## Run the unit tests and the tests of whole runs, with coverage
	$(TEST) -m "not cloud and not system" --cov --cov-report=term $(ARGS)

test-system: $(VENV)/.notebook-ready $(VENV)/.viz-ready $(VENV)/.dev-ready  ## Run the commands of README.md, notebooks, Kedro-Viz, and runs on odd machines
	$(TEST) -m system $(ARGS)

test-cloud: $(VENV)/.dev-ready $(SPARK40)/.ready  ## Run the tests on simulated S3, EC2 and a cluster
	$(BIN)/python -m pytest -m cloud $(ARGS)

test-app: $(VENV)/.run-ready app/node_modules/.ready  ## Check types of the app, and test it in Chromium; needs Node.js
	cd app && npm run --silent types && npm test --silent

TEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.dev-ready  ## Decode 100,000 mutated photos in monitored processes
	$(BIN)/python tests/imaging/decoding/fuzzing.py $(ARGS)
	$(BIN)/python tests/imaging/decoding/damage.py

chaos: $(VENV)/.dev-ready  ## Inject faults into runs: eight minutes; hours with ARGS="--full"
	PYTHONPATH=src:tests $(BIN)/python -m chaos $(ARGS)

lint: $(VENV)/.dev-ready  ## Check formatting, lint rules, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev-ready $(PEERS)/.ready $(SAMPLE)  ## Measure speed and memory, and compare with other tools
	$(BIN)/python -m benchmarks $(ARGS)

protocols: $(VENV)/.dev-ready  ## Measure the quality of backbones; trains some, for up to two hours
	$(BIN)/python -m protocols $(ARGS)

phone-model: $(VENV)/.dev-ready  ## Build the shipped phone model from the photos in FRUITS_SHARED
	$(BIN)/python -m protocols.phone_model $(ARGS)

bundle: $(VENV)/.dev-ready  ## Pack everything that a server without internet access needs
	$(BIN)/python deploy/bundle.py

image: $(VENV)/.dev-ready  ## Build the container image: make image CONTAINER=buildah
	rm -rf build/lib dist/*.whl
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	$(CONTAINER) build --tag fruits-pipeline:$(VERSION) $(ARGS) .

submit: $(VENV)/.run-ready  ## Start a job on EMR Serverless: make submit ARGS="--stack fruits-emr --wait"
	@$(BIN)/python deploy/submit.py $(ARGS)

cost: $(VENV)/.run-ready  ## Compare what a collection costs on AWS: make cost ARGS="--photos 1000000 --photo-kb 5"
	@$(BIN)/python deploy/cost.py $(ARGS)

simulate: $(VENV)/.dev-ready  ## Simulate runs on up to a billion photos: docs/scale.md
	$(BIN)/python -m benchmarks.simulation $(ARGS)

prices: $(VENV)/.run-ready  ## Replace the prices by those of the AWS Price List
	@$(BIN)/python deploy/prices.py $(ARGS)

lock: $(VENV)/.dev-ready  ## Update the locked dependencies
	$(BIN)/uv pip compile $(LOCKING) -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-dev.lock --extra dev -c requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-viz.lock --extra viz -c requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-notebook.lock --extra notebook -c requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKING) -o requirements-peers.lock --extra peers pyproject.toml
	$(MAKE) lock-spark40

# As requirements.lock, whose versions uv prefers, but with the oldest supported Spark.
lock-spark40: $(VENV)/.dev-ready
	cp requirements.lock requirements-spark40.lock
	$(BIN)/uv pip compile $(filter-out --upgrade,$(LOCKING)) -o requirements-spark40.lock --extra spark40 pyproject.toml

LOCKING := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean:  ## Delete the virtual environments
	rm -rf $(VENV) $(PEERS) $(SPARK40)

$(VENV)/.run-ready: requirements.lock
	@test -n "$(PYTHON)" || { echo "Found no Python 3.11 to 3.13; install one, or pass its path: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	touch $@

$(VENV)/.dev-ready: requirements-dev.lock $(VENV)/.run-ready
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	touch $@

$(VENV)/.viz-ready: requirements-viz.lock $(VENV)/.run-ready
	$(PIP) install --require-hashes --no-deps -r requirements-viz.lock
	touch $@

$(VENV)/.notebook-ready: requirements-notebook.lock $(VENV)/.run-ready
	$(PIP) install --require-hashes --no-deps -r requirements-notebook.lock
	touch $@

# The tools that benchmarks compare with need other versions of some dependencies.
$(PEERS)/.ready: requirements-peers.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r requirements-peers.lock
	touch $@

# The oldest supported version of Spark.
$(SPARK40)/.ready: requirements-spark40.lock
	test -x $(SPARK40)/bin/python || $(PYTHON) -m venv $(SPARK40)
	$(SPARK40)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r requirements-spark40.lock
	touch $@
