# What can be asked of the repository? Every target works in a fresh clone and makes its own environment.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
export PORT
# a dozen processes read the same code at each start: what one has compiled, the others need not
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help compose-test setup setup-test demo demo-reset status down check test test-all bench chaos wrecks mutants browser lock audit messages openapi services clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 24

setup:
	@$(PYTHON) .ci/setup.py

setup-test:
	@$(PYTHON) .ci/setup.py --test

demo: setup ## the demo city on PORT (8000), with everything it needs; Ctrl-C stops it, the data stay
	@exec $(BIN)/python -m coordination.config.launcher up --demo --port $(PORT)

demo-reset: setup ## throw the demo city's data away
	@$(BIN)/python -m coordination.config.launcher reset

status: setup ## the state of each process of the demo city
	@$(BIN)/python -m coordination.config.launcher status

down: setup ## stop the demo city from another terminal
	@$(BIN)/python -m coordination.config.launcher down

check: setup-test ## all guards: storeys, style, types, migrations, settings, API description, translations, sizes
	@$(BIN)/python .ci/check.py

browser: setup-test
	@$(BIN)/python .ci/browser.py

test: check browser ## the guards and the whole suite against real PostgreSQL, Redis, workers, sockets and Chromium
	@$(BIN)/python -m pytest -m "not long and not whole_system" -n 3 --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m pytest -m "not long and whole_system" -n 2 --dist loadfile --no-loadscope-reorder

test-all: check browser ## the same with the long runs
	@MUSTER_CELLS=all $(BIN)/python -m pytest -m "not whole_system" -n 3 --dist loadfile --no-loadscope-reorder
	@MUSTER_CELLS=all $(BIN)/python -m pytest -m "whole_system" -n 2 --dist loadfile --no-loadscope-reorder

chaos: setup-test ## kill processes under load (SEEDS=3 KILLS=1000 …); ROW=F13 or ROWS=all: the tests of fault rows instead
	@$(BIN)/python -m $(if $(ROW)$(ROWS),tests.faults.rows $(ROW) $(ROWS),pytest -s -m chaos tests/faults)

wrecks: setup-test ## start from states wrecked by what a seed draws (N=200 SEED=1)
	@$(BIN)/python -m tests.house.wrecks --count $(or $(N),200) --seed $(or $(SEED),1)

mutants: setup-test ## put the code of access and states wrong and see whether the tests notice (N=40 SEED=1)
	@$(BIN)/python -m tests.mutants --count $(or $(N),40) --seed $(or $(SEED),1)

fuzz: setup-test ## feed every reader of foreign input with what breaks readers (MINUTES=10 each; ONLY=frames)
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) $(ONLY)

fuzz-api: setup-test ## walk through a running system by the API's own description (CASES=20000 SEED=1)
	@$(BIN)/python -m tests.fuzz.api --cases $(or $(CASES),20000) --seed $(or $(SEED),1)

bench: setup-test ## measure every figure beside its floor; write docs/performance.md (ONLY=pages SIZES=small ROUNDS=3)
	@$(BIN)/python -m tests.benchmarks $(ONLY) --sizes $(or $(SIZES),full) --rounds $(or $(ROUNDS),3)

compose-test: setup-test ## the containers of docker-compose.yml, one of each pair killed in turn (needs a container engine; ROUNDS=4 SEED=1)
	@$(BIN)/python -m tests.compose --rounds $(or $(ROUNDS),4) --seed $(or $(SEED),1)

lock: ## work the locks out anew from pyproject.toml
	@$(PYTHON) .ci/lock.py

messages: setup-test ## bring locale/ up to date with code and templates and compile it
	@$(BIN)/python .ci/messages.py --update

audit: setup-test ## ask for known holes in the locks; write the bill of materials (CycloneDX) to var/
	@$(BIN)/python .ci/audit.py

openapi: setup-test ## write docs/openapi.yaml from the code
	@$(BIN)/python manage.py spectacular --file docs/openapi.yaml --validate

services: setup-test ## PostgreSQL and Redis alone, left running, for tests
	@$(BIN)/python -m coordination.config.launcher services

clean: setup ## stop the development services; remove what was made, except the demo's data
	@$(BIN)/python -m coordination.config.launcher services --stop
	rm -rf var/dev var/dev-postgres var/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
