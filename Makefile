# The whole set-up: `make demo` shows it working, `make test` proves it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Jails need control groups; systemd lends an ordinary user some.
LEND   := systemd-run --user --scope --quiet -p Delegate=yes
SCOPE  := $(shell [ "$$(id -u)" = 0 ] || { $(LEND) true 2>/dev/null && echo "$(LEND) --"; })

.PHONY: setup demo serve test browser pictures attacks check benchmark clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) sh scripts/setup.sh
	@touch $@

demo: setup
	@$(SCOPE) $(BIN)/grader demo

serve: setup
	@$(SCOPE) $(BIN)/grader serve

test: setup browser
	@$(SCOPE) $(BIN)/pytest -n 2 --dist worksteal

browser:
	@PYTHON=$(PYTHON) VENV=$(VENV) sh scripts/setup.sh browser

# The guides' pictures of pages, made by the tests that drive them.
pictures: setup browser
	@GRADER_KEEP_PICTURES=1 $(SCOPE) $(BIN)/pytest tests/browser

attacks: setup
	@$(SCOPE) $(BIN)/python -m tests.attacks.runner

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/grader rubric check

# Half an hour; `make benchmark ARGUMENTS="--runs 3 --only light-alone"` is shorter.
benchmark: setup
	@$(SCOPE) $(BIN)/python benchmarks/overhead.py $(ARGUMENTS)

clean:
	rm -rf $(VENV) var
