# Everything runs in .venv, which is made on first use and again when the locked versions change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip takes torch first and by exact version, so that nothing later pulls another build. On a machine
# where the plain name gives a CUDA build, TORCH="torch==2.13.0 --index-url <PyTorch's CPU index>".
TORCH ?= torch==2.13.0
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-julia lint bench bench-firmware bench-recovery bench-exact bench-bounds bench-tracking bench-sweep lock wheel clean

help: ## show this text
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The lock holds everything, so nothing else is looked for; of neuralfoil the weights alone are read.
# Tests run both supported versions of PySR over a stand-in for Julia: the older one lies aside.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "distill needs Python 3.11 or newer; try: make demo PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/pysr-1.5 pysr==1.5.10
	@touch $@

demo: $(READY) ## distill the shipped teacher: a formula, an MLflow run and compiled C
	@$(BIN)/distill run experiment=wet_bulb

# Two workers for two cores: libraries' own threads on top of them would wait for each other.
test: $(READY) lint ## lint, types, layers and every fast test (under 10 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup -m "not slow and not julia"

test-all: $(READY) lint ## the slow sweeps too
	OMP_NUM_THREADS=1 HYPOTHESIS_PROFILE=new $(BIN)/pytest -n 2 --dist loadgroup -m "not julia"

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

bench: $(READY) ## what all but the search costs, and how it grows
	$(BIN)/python benchmarks/overhead.py

bench-firmware: $(READY) ## the C beside that of emlearn, m2cgen and sympy, on every chip
	$(BIN)/pip install --quiet --disable-pip-version-check "emlearn>=0.23"
	$(BIN)/python benchmarks/firmware.py --write docs/firmware-figures.md

bench-exact: $(READY) ## exact C beside that of emlearn, m2cgen and micromlgen, on every chip
	$(BIN)/pip install --quiet --disable-pip-version-check "emlearn>=0.23"
	$(BIN)/python benchmarks/exact.py --write docs/exact-figures.md

bench-bounds: $(READY) ## how near proven bounds come to the largest error that can be found
	$(BIN)/python benchmarks/bounds.py --write docs/bounds-figures.md

bench-sweep: $(READY) ## 64 short jobs on one process and on two
	$(BIN)/python benchmarks/sweep.py --write docs/sweep-figures.md

bench-tracking: $(READY) ## 200 candidates into MLflow, the prepared view in Chromium, parallel jobs
	$(BIN)/python benchmarks/tracking.py --write docs/tracking-figures.md

bench-recovery: $(READY) ## how many known formulas come out, beside pyoperon and gplearn
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python benchmarks/recovery.py --set all --engine structure,operon,gplearn --seconds 30 --jobs 2

lock: ## write requirements.lock anew from what is installed in .venv
	$(BIN)/pip freeze --exclude-editable | grep -viE '^(torch|pip|setuptools|emlearn|pybind11|gplearn|pvlib|gsw|iapws|coolprop|h5py|xgboost-cpu)==' > requirements.lock

wheel: $(READY) ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove what was built, the environment and kept stages included
	rm -rf $(VENV) build dist studies multirun .mypy_cache .ruff_cache .pytest_cache .hypothesis
