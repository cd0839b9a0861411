# Two commands do it all on a machine with Python 3.11 and make:
#   make run             set up, and judge the sample fleet (or your own: make run DATA=folder)
#   make test            set up, and run the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.bench-ready
FUZZER := $(VENV)/.fuzz-ready
UI := $(VENV)/.ui-ready
FUZZ_SECONDS ?= 60
OUT ?= out
SHARED ?= ../shared/data/iot-2020/data

.DEFAULT_GOAL := help
.PHONY: help run test check lint types layers coverage real subsets calibration power bound speed fast large pages bench ui fuzz kill lock clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed, '$(PYTHON)' is not; give one: make run PYTHON=python3.12"; exit 1; }
	@echo "Setting up in $(VENV) (once, about a minute) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## judge the sample fleet, or DATA=folder; results go to OUT=out
ifdef DATA
	@$(BIN)/oddfleet run "$(DATA)" --out "$(OUT)"
else
	@$(BIN)/oddfleet demo --out "$(OUT)"
endif

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: lint types layers coverage ## all that must be green before a commit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

coverage: $(READY)
	$(BIN)/python -m pytest -q -n auto --dist loadfile --cov --cov-report=
	$(BIN)/coverage report --include='*/detect/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

real: $(READY) ## solution.py and oddfleet run on the real data, where it is at hand
	@if [ -d "$(SHARED)" ]; then \
		mkdir -p $(OUT)/solution && here=$$PWD && data=$$(cd "$(SHARED)" && pwd) && \
		(cd $(OUT)/solution && "$$here/$(BIN)/python" "$$here/solution.py" "$$data") && \
		$(BIN)/oddfleet run "$(SHARED)" --out $(OUT)/real; \
	else echo "skipped: the real data is not in $(SHARED)"; fi

subsets: $(READY) ## decisions on 200 random subsets of the real data
	$(BIN)/python benchmarks/subsets.py "$(SHARED)" --planted

calibration: $(READY) ## alpha promised against measured on healthy fleets, with its picture (slow)
	$(BIN)/python benchmarks/calibration.py --plot docs/images/calibration.png

power: $(READY) ## share of planted faults found against their strength, with its picture (slow)
	$(BIN)/python benchmarks/power.py --plot docs/images/power.png

bound: $(READY) ## what the best test there is would find of three subtle faults, beside oddfleet (slow)
	$(BIN)/python benchmarks/bound.py

speed: $(READY) ## time and memory of the detector against the number of devices
	$(BIN)/python benchmarks/speed.py 1000 10000 100000 --runs 3

$(PEERS): requirements-bench.lock $(READY)
	@echo "Installing the peers to compare with in $(VENV) (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

$(FUZZER): requirements-fuzz.lock $(READY)
	@echo "Installing the fuzzer in $(VENV) (once; Linux only) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fuzz.lock
	@touch $@

$(UI): requirements-ui.lock $(READY)
	@echo "Installing what looks at pages and runs notebooks in $(VENV) (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-ui.lock
	@touch $@

ui: $(UI) ## the report in a real browser (Chromium, from your system) and the notebook in a real kernel
	$(BIN)/python -m pytest -q tests/ui

fuzz: $(FUZZER) ## bytes at random against the readers, FUZZ_SECONDS=60 each; the corpus is kept
	@for reader in folder table meta; do \
		$(BIN)/python -m tests.fuzz.fuzz $$reader -max_total_time=$(FUZZ_SECONDS) -max_len=600 -timeout=20 || exit 1; \
	done

fast: $(PEERS) ## a whole run against the floor, pair by pair; writes benchmarks/results.json
	$(BIN)/python benchmarks/fast.py

large: $(READY) ## fleets in Parquet files against Polars, up to a million devices (slow; 2.7 GB of disk)
	$(BIN)/python benchmarks/large.py --plot docs/images/devices.png $(LARGE)

pages: $(UI) ## size of the report, time to make it and to open it, up to 100,000 devices
	$(BIN)/python benchmarks/pages.py

bench: fast large pages ## these three, and false alarms, recall, precision of oddfleet and of its peers (slow; BENCH=options)
	$(BIN)/python benchmarks/detection.py --peers $(BENCH)

kill: $(READY) ## stop runs at 50 random moments and at every change of the file system (5 minutes)
	ODDFLEET_KILLS=50 $(BIN)/python -m pytest -q tests/functional/test_all_or_nothing.py

lock: $(READY) ## pin and hash all packages anew, for every platform
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--group dev pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--group bench --constraint requirements.lock --output-file requirements-bench.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--group ui --constraint requirements.lock --output-file requirements-ui.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--group fuzz --constraint requirements.lock --output-file requirements-fuzz.lock

clean: ## remove everything that was made here
	rm -rf $(VENV) $(OUT) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
