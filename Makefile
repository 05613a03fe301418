# Everything runs in .venv, which is made on first use and again when the locked versions change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
# Further words for pip where it takes torch. Where the plain name gives a CUDA build, as on Linux from
# PyPI, TORCH="--index-url <PyTorch's CPU index>" spares gigabytes.
TORCH ?=
READY := $(VENV)/.ready

# Tests start distill hundreds of times. Where Python is told to keep nothing of what it compiles, each
# of these processes compiles the package anew, which takes most of its time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-julia lint bench docs lock audit licences release wheel clean

help: ## show this text
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The locks hold everything with its hashes, so nothing else is looked for, and nothing else is taken;
# of neuralfoil the weights alone are read. torch is fetched first and its hash checked then: told
# the hashes at once, pip prefers PyPI's CUDA build to a CPU build from elsewhere. What torch asks for
# is there, but for the libraries of a CUDA build. Tests run both supported versions of PySR over a stand-in: the older one lies aside.
$(READY): pyproject.toml requirements.lock locks/build.txt locks/torch.txt locks/pysr-1.5.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "distill needs Python 3.11 or newer; try: make demo PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r locks/build.txt
	$(PIP) install --require-hashes --no-deps --no-build-isolation -r requirements.lock
	$(PIP) download --no-deps --dest $(VENV)/torch $(TORCH) $$(grep -o '^torch==[^ ]*' locks/torch.txt)
	$(PIP) install --require-hashes --no-deps --no-index --find-links $(VENV)/torch -r locks/torch.txt
	rm -r $(VENV)/torch
	$(PIP) install torch
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(PIP) install --require-hashes --no-deps --upgrade --target $(VENV)/pysr-1.5 -r locks/pysr-1.5.txt
	@touch $@

demo: $(READY) ## distill the shipped teacher: a formula, an MLflow run and compiled C
	@$(BIN)/distill run experiment=wet_bulb

# Two workers for two cores: libraries' own threads on top of them would wait for each other.
test: $(READY) lint ## lint, types, layers and every fast test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not slow and not julia"

test-all: $(READY) lint ## the slow sweeps too
	OMP_NUM_THREADS=1 HYPOTHESIS_PROFILE=new $(BIN)/pytest -n 2 --dist loadfile -m "not julia"

# One after the other: some hold searches to their seconds. Nothing is downloaded unless
# DISTILL_JULIA=download says so.
test-julia: $(READY) ## engine=pysr with a real Julia, where there is one (a quarter of an hour)
	DISTILL_NATIVE= OMP_NUM_THREADS=1 $(BIN)/pytest -rs tests/julia

lint: $(READY) ## ruff, mypy, the layers, the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/hadolint Dockerfile

bench: $(READY) ## every figure that takes minutes, or ONLY="overhead sweep", into docs/figures.md
	$(PIP) install --require-hashes --no-deps -r locks/bench.txt
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/figures.py $(if $(ONLY),--only $(ONLY))

docs: $(READY) ## the documentation site in build/site, every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

lock: $(READY) ## write the locks anew; what is allowed stays as it is
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python tools/lock.py

audit: $(READY) ## ask the databases of vulnerabilities about every locked package
	$(BIN)/python tools/audit.py

licences: $(READY) ## write docs/licences.md anew, from what is installed
	$(BIN)/python tools/licences.py

release: $(READY) ## a release in dist/: tested, built twice, installed and tried; nothing is published
	$(BIN)/python tools/release.py --torch "$(TORCH)"

wheel: $(READY) ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove what was built, the environment and kept stages included
	rm -rf $(VENV) build dist studies multirun .mypy_cache .ruff_cache .pytest_cache .hypothesis
