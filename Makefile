# `make` alone tells the targets. Each sets up what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin

export PYTHON SITE_URL OPENAPI_URL DOCS_URL

.PHONY: help setup generate update check lint types test quick corpus pairs docs site browser bench clean

help: ## show this
	@awk -F ' *:.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with all that the others need; they do that by themselves
	@.ci/setup

generate: setup ## write generated/skills_video, the skill, and the table of models in README.md
	$(BIN)/python -m generator generate

# The documentation site is that of pyproject.toml, unless SITE_URL names another; OPENAPI_URL and DOCS_URL name what is not
# to be looked for on it, files among them.
update: setup ## fetch the descriptions, generate, and tell what changed
	$(BIN)/python -m generator fetch $(if $(SITE_URL),"$$SITE_URL") $(if $(OPENAPI_URL),--openapi-url "$$OPENAPI_URL") $(if $(DOCS_URL),--docs-url "$$DOCS_URL")
	$(BIN)/python -m generator generate
	$(BIN)/python -m generator changes HEAD specs --write-changelog CHANGELOG.md

check: setup ## fail with a diff if a generated file is not what the inputs give
	$(BIN)/python -m generator check

lint: setup ## ruff, and what checks workflows, scripts and the skill
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --quiet --offline --no-progress .github
	$(BIN)/shellcheck --severity=warning .github/scripts/*.sh .ci/run .ci/setup .ci/browser
	$(BIN)/agentskills validate skills/skills-video

types: setup ## mypy and pyright, both strict
	$(BIN)/mypy generator runtime generated docs/site
	$(BIN)/pyright

test: compiled ## all tests, in some minutes
	$(BIN)/python -m pytest -n 3 --dist worksteal

quick: compiled ## all but the slow tests, in about half a minute
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

# Where PYTHONDONTWRITEBYTECODE is set, each of hundreds of processes would compile what it imports, and each run of
# pytest all tests.
test quick: export PYTHONDONTWRITEBYTECODE =
.PHONY: compiled
compiled: setup
	@$(BIN)/python -m compileall -qq generated generator runtime

# Another SEED draws other values.
corpus: setup ## draw values for every form of a schema, and keep the verdicts of jsonschema
	$(BIN)/python -m tests.generator.schema.draw $(SEED)

# As above, of pairs of schemas: what `changes` says breaks, and what it shows for that.
pairs: setup ## try what `changes` says on random pairs of schemas
	$(BIN)/python -m tests.changes.pairs $(SEED)

docs: setup ## record the pictures in docs/, and write the examples there
	$(BIN)/python docs/record.py
	$(BIN)/python -m generator changes tests/changes/specs/previous tests/changes/specs/current --markdown > docs/review-example.md
	$(BIN)/python -m tests.changes.mutations > docs/review-mutations.md
	$(BIN)/python -m tests.agents.transcript > docs/agents-transcript.md

site: setup ## build the site in build/site/html: guides, a page for each model, the reference
	@.ci/setup site
	$(BIN)/python -m docs.site

browser: setup ## install what tests look at the site with: Playwright and, where it may, Chromium
	@.ci/browser

# ROWS="stream poll" measures these alone.
bench: setup ## measure beside peers, and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks $(ROWS)

clean: ## remove what the others made
	rm -rf .venv .bench .generate.stamp* dist build docs/models .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
