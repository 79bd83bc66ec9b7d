# `make generate` and `make test` set up everything they need by themselves.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

export SITE_URL OPENAPI_URL DOCS_URL

.PHONY: setup generate update check lint types test quick corpus pairs docs bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1,<27'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cli,sandbox]' --group dev
	touch $(STAMP)

generate: setup
	$(BIN)/python -m generator generate

# The documentation site is that of pyproject.toml, unless SITE_URL names another; OPENAPI_URL and DOCS_URL name what is not
# to be looked for on it, files among them.
update: setup
	$(BIN)/python -m generator fetch $(if $(SITE_URL),"$$SITE_URL") $(if $(OPENAPI_URL),--openapi-url "$$OPENAPI_URL") $(if $(DOCS_URL),--docs-url "$$DOCS_URL")
	$(BIN)/python -m generator generate
	$(BIN)/python -m generator changes HEAD specs --write-changelog CHANGELOG.md

check: setup
	$(BIN)/python -m generator check

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --quiet --offline --no-progress .github
	$(BIN)/shellcheck --severity=warning .github/scripts/*.sh .ci/run

types: setup
	$(BIN)/mypy generator runtime generated
	$(BIN)/pyright

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

# Another SEED draws other values.
corpus: setup
	$(BIN)/python -m tests.generator.schema.draw $(SEED)

# As above, of pairs of schemas: what `changes` says breaks, and what it shows for that.
pairs: setup
	$(BIN)/python -m tests.changes.pairs $(SEED)

docs: setup
	$(BIN)/python docs/record.py
	$(BIN)/python -m generator changes tests/changes/specs/previous tests/changes/specs/current --markdown > docs/review-example.md
	$(BIN)/python -m tests.changes.mutations > docs/review-mutations.md

# ROWS="stream poll" measures these alone.
bench: setup
	$(BIN)/python -m benchmarks $(ROWS)

clean:
	rm -rf .venv .bench .generate.stamp* dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
