# Everything that is installed or built stays in .venv, .cache and build; Go modules go to Go's own cache.

EXAMPLE ?= examples/minimal.yaml
DIR ?= build/example

UV_VERSION := 0.13.9
BIN := $(CURDIR)/.venv/bin
RENDER := $(BIN)/copier copy --defaults --vcs-ref HEAD
VENV := .venv/.synced
# What tools/ pins: see tools/README.md. Small programs go to .cache/bin, engines to .cache/bin/<name>, data is only downloaded.
# Programs of tools/ that build nothing do not make engines out of date.
BUILD := $(filter-out tools/locks.py tools/outdated.py,$(wildcard tools/*.py))
TOOLS := .cache/bin/.built
DATA := $(patsubst tools/%/go.mod,.cache/%/.downloaded,$(wildcard tools/data*/go.mod))
NPM := .cache/npm/.built
ENGINES := $(patsubst tools/%/go.mod,.cache/bin/%/.built,$(filter-out tools/data%,$(wildcard tools/*/go.mod)))

export GOTOOLCHAIN := local
export GOWORK := off
export CGO_ENABLED := 0
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

.PHONY: help example test proof lint format bench tools cluster cluster-down docs locks release clean

help: ## List these targets.
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

example: $(VENV) ## Render EXAMPLE (examples/minimal.yaml) into the folder DIR (build/example).
	@if [ -n "$$(ls -A "$(DIR)" 2>/dev/null)" ]; then \
	  echo "$(DIR) is not empty, and nothing is overwritten. Remove it, or name another folder: make example DIR=..." >&2; exit 1; fi
	@# The clone's absolute path: works offline and shows this very checkout. Your own repository is made from the template's Git URL.
	@# Inside this clone it must be a repository of its own.
	@git init --quiet --initial-branch=main "$(DIR)"
	@$(RENDER) --data-file "$(EXAMPLE)" "$(CURDIR)" "$(DIR)"
	@echo
	@echo "$(EXAMPLE) became $$(find "$(DIR)" -type f | wc -l | tr -d ' ') files in $(DIR). Start with $(DIR)/README.md."
	@echo "Next: copy $(EXAMPLE), make the answers yours, and see them rendered: make example EXAMPLE=my.yaml DIR=build/mine"

test: $(VENV) $(TOOLS) $(DATA) ## Run the fast tests; ARGS goes to pytest: make test ARGS='-k updates'.
	$(BIN)/pytest -m "not proof" $(ARGS)

proof: tools ## Run the slow tests: clusters, Kyverno, Renovate, mise, every update. Takes ARGS like test.
	$(BIN)/pytest -m proof $(ARGS)

lint: $(VENV) $(TOOLS) ## Check the template's own Python, YAML, workflows and shell scripts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	.cache/bin/actionlint
	$(BIN)/zizmor --offline --quiet --persona=pedantic --min-severity=low .github
	$(BIN)/shellcheck .ci/run tools/*.sh

format: $(VENV) ## Format the Python.
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: tools ## Compare times of a copy, an update and a validation with what they are made of, for 10, 30 and 100 workloads.
	$(BIN)/python -m bench.copy_time
	$(BIN)/python -m bench.update_time
	$(BIN)/python -m bench.validate_time
	$(BIN)/python -m bench.many_workloads
	PYTHONPATH=template/scripts PYTHONDONTWRITEBYTECODE=1 $(BIN)/python -m bench.admission_time

tools: $(TOOLS) $(DATA) $(ENGINES) $(NPM) ## Build the engines for proof, Kubernetes and Argo CD among them.

cluster: tools ## Start a cluster with EXAMPLE rendered and installed in it, and leave it running.
	@$(BIN)/python -m tests.cluster up $(EXAMPLE)

cluster-down: ## End it.
	@$(BIN)/python -m tests.cluster down

docs: $(VENV) ## Write docs/answers.md and the contract in docs/infrastructure anew, from the schema of the answers.
	@rm -rf build/docs
	@$(RENDER) --quiet --data-file examples/minimal.yaml "$(CURDIR)" build/docs
	@mkdir -p docs
	cp build/docs/docs/answers.md docs/answers.md
	$(BIN)/python -m tools.contract

locks: $(NPM) ## Lock the tools and Python packages of rendered repositories anew, with checksums. Needs GitHub.
	$(BIN)/python -m tools.locks

release: lint ## Tag the version VERSION, if everything holds: make release VERSION=1.2.3
	@tools/release.sh check "$(VERSION)"
	$(BIN)/python -m tools.locks --check
	$(MAKE) test proof
	@tools/release.sh tag "$(VERSION)"

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

$(TOOLS): tools/go.mod tools/go.sum $(BUILD) | $(VENV)
	@$(BIN)/python -m tools.build .

$(DATA): .cache/%/.downloaded: tools/%/go.mod tools/%/go.sum | $(VENV)
	cd tools/$* && $(BIN)/go mod download
	@mkdir -p $(@D) && touch $@

$(NPM): tools/npm/package.json tools/npm/package-lock.json | $(VENV)
	@mkdir -p $(@D) && cp $^ $(@D)
	cd $(@D) && PATH="$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.SECONDEXPANSION:
$(ENGINES): .cache/bin/%/.built: $$(shell find tools/$$* -type f) $(BUILD) | $(VENV)
	@$(BIN)/python -m tools.build $*
