# What can be asked of the repository? Every target works in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8

.PHONY: lock
lock: ## work out the two locks anew from pyproject.toml
	$(PYTHON) .ci/lock.py

.PHONY: messages
messages: ## update locale/ from the code and templates and compile it
	$(BIN)/python .ci/messages.py --update
