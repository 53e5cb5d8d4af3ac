# Everything a maintainer does. `make book` and `make test` do their own set-up, from a clean clone.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready
export PYTHONPATH := code
export PYTHONUTF8 := 1

.PHONY: help setup book serve test check notebooks pdf clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv with the pinned versions (the others do it for you)

# Rebuilt whenever a requirement or a pin changes.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed, and '$(PYTHON)' was not found; install it or run make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Set-up: a virtual environment in $(VENV) (about 3 GB, some minutes the first time)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --upgrade --constraint constraints.txt pip setuptools wheel
	@# torch first and alone: a resolver that sees it pinned and installed does not look for another build.
	@$(PY) -m pip install --progress-bar on --constraint constraints.txt torch
	@$(PY) -m pip install --progress-bar on --constraint constraints.txt --editable '.[torch,tensorflow,ray,book,test]'
	@touch $@

book: $(READY)  ## the published site, Korean and English, in _build/site
	@$(PY) -m press book

serve: $(READY)  ## look at the site in a browser
	@$(PY) -m press serve

check: $(READY)  ## the gate against drift: seconds, runs no code
	@$(PY) -m press check

notebooks: $(READY)  ## write book/ko and book/en, the notebooks for Colab
	@$(PY) -m press notebooks

test: $(READY)  ## all tests: press, helpers, notebooks (nbval), the site in a browser
	@$(PY) -m press test

pdf: $(READY)  ## every page as a PDF, in _build/pdf
	@$(PY) -m press pdf

clean:  ## remove all that was built (the environment too: rm -rf .venv)
	@rm -rf _build
