# Everything is installed and built in .venv, .cache and build. Go modules are in Go's own cache.

EXAMPLE ?= examples/minimal.yaml
DIR ?= build/example

UV_VERSION := 0.13.9
BIN := $(CURDIR)/.venv/bin
RENDER := $(BIN)/copier copy --defaults --vcs-ref HEAD
VENV := .venv/.synced
# The pinned tools, see tools/README.md: small programs in .cache/bin, engines in .cache/bin/<name>, data is only downloaded.
# A change of these two modules does not require a new build.
BUILD := $(filter-out tools/locks.py tools/outdated.py,$(wildcard tools/*.py))
TOOLS := .cache/bin/.built
DATA := $(patsubst tools/%/go.mod,.cache/%/.downloaded,$(wildcard tools/data*/go.mod))
NPM := .cache/npm/.built
# Pages of the template itself. Those in template/ are Jinja: a test checks what is rendered.
MARKDOWN := $(wildcard *.md) docs tools
ENGINES := $(patsubst tools/%/go.mod,.cache/bin/%/.built,$(filter-out tools/data%,$(wildcard tools/*/go.mod)))

export GOTOOLCHAIN := local
export GOWORK := off
export CGO_ENABLED := 0
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

.PHONY: help example test proof lint format bench tools cluster cluster-down docs pictures locks release clean

help: ## List these targets.
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

example: $(VENV) ## Render EXAMPLE into the folder DIR (build/example).
	@if [ -n "$$(ls -A "$(DIR)" 2>/dev/null)" ]; then \
	  echo "DIR: $(DIR) is not empty. Delete it, or choose another folder: make example DIR=..." >&2; exit 1; fi
	@# The absolute path of this clone works offline and renders this checkout. Render your own repository from the template's Git URL.
	@# Below this clone, the example must be a Git repository of its own.
	@git init --quiet --initial-branch=main "$(DIR)"
	@$(RENDER) --data-file "$(EXAMPLE)" "$(CURDIR)" "$(DIR)"
	@echo
	@echo "Rendered $(EXAMPLE) into $(DIR). Start with $(DIR)/README.md."
	@echo "Next: copy $(EXAMPLE), edit the answers, and render them: make example EXAMPLE=my.yaml DIR=build/mine"

test: $(VENV) $(TOOLS) $(DATA) ## Run the fast tests; ARGS: make test ARGS='-k updates'.
	$(BIN)/pytest -m "not proof" $(ARGS)

proof: tools ## Run the slow tests: clusters, all updates; ARGS as for test.
	$(BIN)/pytest -m proof $(ARGS)

lint: $(VENV) $(TOOLS) ## Check spelling, Markdown, Python, YAML, workflows, scripts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(BIN)/typos
	$(BIN)/pymarkdown scan $(MARKDOWN)
	.cache/bin/actionlint
	$(BIN)/zizmor --offline --quiet --persona=pedantic --min-severity=low .github
	$(BIN)/shellcheck .ci/run tools/*.sh

format: $(VENV) ## Format Python.
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: tools ## Time copy, update, validate and the admission policies.
	$(BIN)/python -m bench.copy_time
	$(BIN)/python -m bench.update_time
	$(BIN)/python -m bench.validate_time
	$(BIN)/python -m bench.many_workloads
	PYTHONPATH=template/scripts PYTHONDONTWRITEBYTECODE=1 $(BIN)/python -m bench.admission_time

tools: $(TOOLS) $(DATA) $(ENGINES) $(NPM) ## Build the engines of the slow tests.

cluster: tools ## Start a cluster with EXAMPLE installed; it keeps running.
	@$(BIN)/python -m tests.cluster up $(EXAMPLE)

cluster-down: ## Stop that cluster.
	@$(BIN)/python -m tests.cluster down

docs: $(VENV) ## Generate docs/answers.md and the schema for infrastructure.
	@rm -rf build/docs && git init --quiet --initial-branch=main build/docs
	@$(RENDER) --quiet --data-file examples/minimal.yaml "$(CURDIR)" build/docs
	@mkdir -p docs
	cp build/docs/docs/answers.md docs/answers.md
	$(BIN)/python -m tools.contract

pictures: $(VENV) $(TOOLS) $(DATA) ## Update the output of commands in README.md and docs/images.
	PYTHONPATH=template/scripts PYTHONDONTWRITEBYTECODE=1 $(BIN)/python -m tests.support.pictures

locks: $(NPM) ## Update the locks of rendered repositories; needs GitHub.
	$(BIN)/python -m tools.locks

release: lint ## Run all checks, then tag: make release VERSION=1.2.3
	@tools/release.sh check "$(VERSION)"
	$(BIN)/python -m tools.locks --check
	$(MAKE) test proof
	@tools/release.sh tag "$(VERSION)"

clean: ## Delete everything installed, built or rendered here.
	rm -rf .venv .cache build

$(VENV): pyproject.toml uv.lock
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 none; do \
	  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; done; \
	if [ $$python != none ]; then $$python -m venv --clear .venv; \
	elif python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "Python has no venv. On Debian and Ubuntu, run: apt-get install python3-venv" >&2; exit 1; \
	else \
	  echo "Python 3.11 or later was not found. Install it, or pass its path: make PYTHON=/path/to/python3" >&2; exit 1; fi
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
