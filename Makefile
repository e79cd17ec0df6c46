# Steward. `make help` lists what there is; `make up` is where to begin.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
WITH_ENGINES := $(PY) -m apps.embedded run --profile test --

.PHONY: help up test check test-faults deploy-check fmt fuzz bench bench-flags schema seed env clean lock install drill

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST) | sed 's/\$$\$$/$$/g'

up: install  ## start everything and keep it running; Ctrl-C stops it (RESET=1: begin anew, STEWARD_PORT=…)
	@$(PY) -m apps.embedded up $(if $(filter-out 0,$(RESET)),--reset)

test: install  ## all tests, on engines of their own (ARGS="tests/core -x" for some of them)
	@browser=$$($(PY) scripts/programs.py chromium) && nginx=$$($(PY) scripts/programs.py nginx) && STEWARD_CHROMIUM="$$browser" STEWARD_NGINX="$$nginx" exec $(WITH_ENGINES) $(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

test-faults: install  ## kill everything a thousand times, restart the engines, break the links (ARGS=…; ends with a table)
	@STEWARD_FAULTS=long exec $(WITH_ENGINES) $(PY) -m pytest tests/faults $(ARGS)

check: install  ## format, lint, floors, types, migrations, settings, OpenAPI documents
	@$(WITH_ENGINES) scripts/check

deploy-check: install  ## do what the Dockerfile says without an engine: install by the runtime's lock, collect, serve
	@STEWARD_DEPLOY_CHECK=full exec $(WITH_ENGINES) $(PY) -m pytest tests/deploy/test_image.py $(ARGS)

fmt: install  ## format the code and mend what the linter can mend
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

fuzz: install  ## random requests to every route against its OpenAPI document (CASES=20000 a surface, SEED=…, ARGS=…)
	@FUZZ_CASES=$(or $(CASES),20000) FUZZ_SEED=$(or $(SEED),$$(date +%s)) exec $(WITH_ENGINES) sh -c 'echo "SEED=$$FUZZ_SEED"; exec $(PY) -m pytest tests/fuzz -n 2 --timeout=0 $(ARGS)'

drill: install  ## restore a killed database from a backup, elsewhere, and verify it
	@$(WITH_ENGINES) $(PY) -m pytest tests/drills $(ARGS)

bench: install  ## measure the running stack (SIZE=small|large keeps the figures and compares, ARGS=…)
	@$(PY) -m bench $(if $(SIZE),--size=$(SIZE)) $(ARGS)

bench-flags: install  ## measure the evaluation of flags beside a local Unleash, on engines of its own
	@$(PY) -m bench.flags

schema: install  ## write the OpenAPI documents in openapi/ anew
	@$(WITH_ENGINES) $(PY) manage.py export_openapi

seed: install  ## more demo data for the running stack (SIZE=small|demo|medium|large)
	@$(PY) manage.py seed $(if $(SIZE),--size=$(SIZE))

env:  ## addresses and keys of the running stack as shell exports: eval "$$(make -s env)"
	@if [ -x $(PY) ]; then $(PY) -m apps.embedded env; else echo "steward: Nothing runs: start it with \`make up\`." >&2; exit 1; fi

clean:  ## delete the embedded data, .venv and every cache (not while the stack runs)
	@if [ -x $(PY) ]; then $(PY) -m apps.embedded clean; else rm -rf .steward; fi
	@rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: install  ## both lock files anew from pyproject.toml, with hashes: everything, and what the image needs
	@$(PY) -m uv pip compile pyproject.toml --all-extras --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet $(ARGS) --output-file requirements.lock
	@$(PY) -m uv pip compile pyproject.toml --constraint requirements.lock --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.runtime.lock

install:  ## .venv as requirements.lock says; done by every other target
	@if [ -z "$(PYTHON)" ]; then echo "steward: there is no Python 3.11 here: install it (Debian 12: apt-get install python3 python3-venv), or say make PYTHON=/path/to/python3.11 …" >&2; exit 1; fi
	@$(PYTHON) scripts/environment.py
