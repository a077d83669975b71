# Everything is started from here; `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
BOOTSTRAP := deploy/local/bootstrap.sh

DIALOGUES ?=
AGENTS ?= 5
# Tests mostly wait, for processes of their own, so two share a machine well, whatever its size; tests/conftest.py says how they
# are shared out. WORKERS=0 runs all in this process, for ARGS=--pdb.
WORKERS ?= 2
CONCURRENCY ?= 8
URL ?=
ARGS ?=

SCRIPTS = 'gateway/static/**/*.js'
COMPILE = $(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(ARGS)

.PHONY: help
help: ## List the targets
	@echo "Foyer. Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment for each purpose. The script's own stamps, kept in .venv, say what is installed: it is asked every
# time and answers in a moment, so a changed lock, another Python or a removed package is never overlooked.
.PHONY: env-run env-dev env-stack env-test
env-run:
	@$(BOOTSTRAP)
env-dev:
	@$(BOOTSTRAP) --dev
env-stack: # tests and measurements start brokers and databases of their own
	@env -u AMQP_URI -u MONGODB_URI $(BOOTSTRAP) --dev --broker --database --clocks
env-test:
	@env -u AMQP_URI -u MONGODB_URI $(BOOTSTRAP) --dev --broker --database --browser --clocks

.PHONY: run
run: ## Run the whole stack on this machine until Ctrl-C; installs what is missing
	@$(BOOTSTRAP) --broker --database --curl
	@exec $(PYTHON) -m deploy.local

.PHONY: test
test: env-test lint ## Lint, then all tests but the slow ones; ARGS="-k name" picks some
	@$(PYTHON) -m pytest tests/ -n $(WORKERS) -m "not slow and not containers" $(ARGS)

.PHONY: test-slow
test-slow: env-test ## The slow tests: bursts, killed gateways, whole leases waited through
	@$(PYTHON) -m pytest tests/ -n $(WORKERS) -m "slow and not containers" $(ARGS)

.PHONY: test-containers
test-containers: env-dev ## The compose stack: built, started, scaled, broken; needs a Docker engine; ARGS="-k story" picks some
	@$(PYTHON) -m pytest tests/ -m containers $(ARGS)

.PHONY: bench
bench: env-test ## Measure under load and write docs/*-report.*; ARGS="messages delivery" shows some, ARGS=--quick only that it works
	@$(PYTHON) -m tests.load $(ARGS)

.PHONY: chaos
chaos: env-stack ## Break everything under load, check what became of it, write docs/chaos-report.*; ARGS="--quick" or "--rounds 10 --seed 3"
	@$(PYTHON) -m tests.chaos $(ARGS)

.PHONY: lint
lint: env-dev ## Check style, format, types and the doors between the rooms
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@.venv/bin/oxlint gateway/static
	@.venv/bin/oxfmt --check $(SCRIPTS)

# An index without advisories makes it fail, and say which packages it could tell nothing of; --strict, else it would pass them over.
.PHONY: audit
audit: env-dev ## Check the locks, then ask the package index for advisories on what they pin; needs an index that has some
	@$(PYTHON) -m pytest tests/strangers/test_dependencies.py
	@$(PYTHON) -m uv tool run pip-audit@2.10.1 --strict --disable-pip --require-hashes $(ARGS) \
		-r requirements.txt -r requirements-dev.txt -r requirements-embedded.txt

.PHONY: format
format: env-dev ## Rewrite the code in the house format and fix what can be fixed safely
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .
	@.venv/bin/oxfmt $(SCRIPTS)

.PHONY: screenshots
screenshots: env-test ## Write docs/images/*.png from the tests that walk through the whole console
	@mkdir -p docs/images
	@FOYER_SCREENSHOTS=docs/images $(PYTHON) -m pytest tests/browser/test_story.py tests/browser/test_console_pages.py $(ARGS)

.PHONY: up
up: ## Build and start the whole stack in containers, and wait until it is healthy; ARGS="--scale messaging=3"
	@docker compose up --build --detach --wait $(ARGS)
	@echo "Foyer listens on $$(docker compose port balancer 8080). The first administrator's password: docker compose exec presence cat /run/foyer/admin_password"

.PHONY: down
down: ## Stop the containers and remove them; the data stays, unless ARGS=--volumes
	@docker compose down $(ARGS)

.PHONY: images
images: ## Build all images; FOYER_VERSION=1.2.3 names them
	@docker compose --profile ops build $(ARGS)

.PHONY: replay
replay: env-run ## Play dialogues through the running stack and compare; DIALOGUES=file AGENTS=5 CONCURRENCY=8 URL=http://…
	@deploy/local/with_demo.sh /bin/sh -c 'exec $(PYTHON) -m deploy.replay "$$@" --url "$${URL:-$${FOYER_URL:-http://127.0.0.1:$${FOYER_PORT:-8000}}}"' \
		replay $(if $(DIALOGUES),--dialogues "$(DIALOGUES)") --agents "$(AGENTS)" --concurrency "$(CONCURRENCY)"
replay: export URL := $(URL)

.PHONY: topology
topology: env-run ## Write topology.json and definitions.json, the broker's side, from the code
	@$(PYTHON) -m deploy.topology

.PHONY: compatibility
compatibility: env-run ## Compare the contract with the last release's; ARGS=--write keeps it, with the release that brings it
	@$(PYTHON) -m deploy.compatibility $(ARGS)

.PHONY: lock
lock: env-dev ## Compile the hashed locks from requirements*.in; ARGS=--upgrade takes newer versions
	@$(COMPILE) requirements.in --output-file requirements.txt
	@$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

.PHONY: clean
clean: ## Remove the environment and all caches; the data in .foyer stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
