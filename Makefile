# Everything that is installed or built stays in .venv, .cache and build; Go modules go to Go's own cache.

EXAMPLE ?= examples/minimal.yaml
DIR ?= build/example

UV_VERSION := 0.13.9
BIN := $(CURDIR)/.venv/bin
RENDER := $(BIN)/copier copy --defaults --vcs-ref HEAD
VENV := .venv/.synced
TOOLS := .cache/bin/.built

export GOTOOLCHAIN := local
export GOWORK := off
export CGO_ENABLED := 0
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

.PHONY: help example test lint format bench tools docs clean

help: ## List these targets.
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

example: $(VENV) ## Render EXAMPLE (examples/minimal.yaml) into the folder DIR (build/example).
	@if [ -n "$$(ls -A "$(DIR)" 2>/dev/null)" ]; then \
	  echo "$(DIR) is not empty, and nothing is overwritten. Remove it, or name another folder: make example DIR=..." >&2; exit 1; fi
	@# The clone's absolute path: works offline and shows this very checkout. Your own repository is made from the template's Git URL.
	@$(RENDER) --data-file "$(EXAMPLE)" "$(CURDIR)" "$(DIR)"
	@echo
	@echo "$(EXAMPLE) became $$(find "$(DIR)" -type f | wc -l | tr -d ' ') files in $(DIR). Start with $(DIR)/README.md."
	@echo "Next: copy $(EXAMPLE), make the answers yours, and see them rendered: make example EXAMPLE=my.yaml DIR=build/mine"

test: $(TOOLS) ## Run the tests; ARGS goes to pytest: make test ARGS='-k updates'.
	$(BIN)/pytest $(ARGS)

lint: $(VENV) ## Check the template's own Python and YAML.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/yamllint --strict .

format: $(VENV) ## Format the Python.
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: $(VENV) ## Compare the time of a copy with Copier's own, for 10, 30 and 100 workloads.
	$(BIN)/python bench/copy_time.py

tools: $(TOOLS) ## Build the pinned engines that the tests run: kustomize, helm, kubeconform, yamlfmt.

docs: $(VENV) ## Write docs/answers.md anew, the reference that every repository is rendered with.
	@rm -rf build/docs
	@$(RENDER) --quiet --data-file examples/minimal.yaml "$(CURDIR)" build/docs
	@mkdir -p docs
	cp build/docs/docs/answers.md docs/answers.md

clean: ## Remove all that was installed, built or rendered here.
	rm -rf .venv .cache build

$(VENV): pyproject.toml uv.lock
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 none; do \
	  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; done; \
	if [ $$python != none ]; then $$python -m venv --clear .venv; \
	elif python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "This Python comes without venv. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	else \
	  echo "Python 3.11 or later is needed. Name one that is not on the PATH: make PYTHON=/path/to/python3" >&2; exit 1; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv sync --locked --inexact --quiet
	@touch $@

$(TOOLS): tools/go.mod tools/go.sum tools/data/go.mod tools/data/go.sum | $(VENV)
	@echo "Building the test engines from source: some minutes the first time, seconds after that."
	cd tools && $(BIN)/go build -trimpath -ldflags='-s -w' -o ../.cache/bin/ tool
	cd tools/data && $(BIN)/go mod download
	@touch $@
