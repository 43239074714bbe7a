# cuvis-fleet. `make help` lists the targets; each does its own set-up.

PYTHON ?= python3
GRPC_PORT ?= 50051
INFERENCE ?= 1
DATA ?=
MINUTES ?= 20
WORKERS ?= auto

VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := proto libs/platform libs/schemas libs/engine client envoy deploy/local \
  services/config services/session services/trainer services/inference

# uv finds wheels in a local folder (a CPU build of torch, say) as pip does.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS := $(PIP_FIND_LINKS)
endif
export GRPC_PORT INFERENCE

# tests/conftest.py decides which tests share a worker. WORKERS=0 runs all in one process.
PARALLEL := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup up demo bench soak test test-unit test-numerics test-parity test-compose check format proto nodes pins docs packages clean

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) ## make the virtual environment .venv with everything pinned

$(READY): constraints.txt requirements-dev.txt $(PACKAGES:%=%/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(RUN)/uv pip install --quiet --compile-bytecode --python $(RUN)/python -c constraints.txt -r requirements-dev.txt
	@touch $@

up: $(READY) ## start the whole stack in the foreground (INFERENCE=3: three replicas)
	$(RUN)/python -m fleet_local

demo: $(READY) ## train, infer and draw a synthetic scene, or DATA=path/to/your/file
	$(RUN)/python -m fleet_local during \
	  $(RUN)/python -m cuvis_fleet.demo --address 127.0.0.1:$(GRPC_PORT) $(if $(DATA),--data "$(DATA)")

bench: $(READY) ## compare calls with a bare echo, and training with PEER_PYTHON=published/bin/python
	$(RUN)/python -m fleet_local during $(RUN)/python -m bench --address 127.0.0.1:$(GRPC_PORT)
	$(RUN)/python -m bench.training

soak: $(READY) ## watch memory, descriptors and threads under mixed work (MINUTES=20)
	$(RUN)/python -m bench.soak --minutes $(MINUTES)

test: $(READY) ## run all tests, on all cores
	$(RUN)/python -m pytest $(PARALLEL)

test-unit: $(READY) ## run the unit tests: the fast loop while editing
	$(RUN)/python -m pytest $(PARALLEL) tests/unit

test-numerics: $(READY)
	$(RUN)/python -m pytest tests/numerics

test-parity: $(READY)
	$(RUN)/python -m pytest tests/parity

test-compose: $(READY) ## build the images and run the tests of the fleet in containers
	$(RUN)/python -m pytest tests/compose -m compose

check: $(READY) ## all that CI runs: style, types, imports, wire, tests
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy $(PACKAGES:%=%/src) bench docs tools deploy/packages
	$(RUN)/lint-imports
	$(RUN)/python -m tools.wording
	$(RUN)/python proto/generate.py --check
	$(RUN)/python -m tools.built_in_nodes --check
	$(RUN)/python -m docs.telemetry_table --check
	$(RUN)/python -m docs.errors_table --check
	$(RUN)/python -m docs.settings_table --check
	$(RUN)/python -m docs.diagrams --check
	$(RUN)/python -m docs.commands_table --check
	$(RUN)/python -m deploy.packages.version --check
	cd proto && ../$(RUN)/buf lint && ../$(RUN)/buf breaking --against baseline.binpb
	$(MAKE) --no-print-directory test

format: $(READY) ## format the code
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

proto: $(READY)
	$(RUN)/python proto/generate.py

nodes: $(READY)
	$(RUN)/python -m tools.built_in_nodes

pins: $(READY)
	@{ echo '# Every package of the environment, pinned. Written by `make pins`.'; \
	  $(RUN)/uv pip freeze --python $(RUN)/python | grep -vE '^(-e|pip==)' | sed 's/+cpu$$//'; } > constraints.txt

docs: $(READY) ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(RUN)/python -m mkdocs build --strict

packages: $(READY) ## build sdists and wheels, with the licences of all that they need, into dist/
	$(RUN)/python -m deploy.packages.build dist
	$(RUN)/python -m deploy.packages.licences > dist/LICENCES.md

clean: ## remove what was built and what the stack wrote under run/
	rm -rf $(VENV) .peers run site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
