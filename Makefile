SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(wildcard lambdas/functions/*))
PROMPT ?= Why is the sky blue?

# Make variables of `make local` reach the program as its environment.
export LOCAL_PORT LLM_URL LLM_MODEL BEDROCK_URL

##@ Use

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: local
local: ## Run everything on this machine (LLM_URL= LLM_MODEL=, BEDROCK_URL=, LOCAL_PORT=)
	@$(MAKE) --no-print-directory --jobs 2 bootstraps local-tools
	@exec target/debug/local-cloud

.PHONY: probe
probe: ## Stream PROMPT="..." through all three, with timings
	@cargo run --quiet --package probe -- "$(PROMPT)"

##@ Develop

.PHONY: build
build: bootstraps ## Build the functions' zips into dist/
	scripts/package.sh $(FUNCTIONS)

.PHONY: test
test: lint build ## Everything that CI runs
	cargo test --workspace

.PHONY: lint
lint: ## Check format and style of Rust, resolvers and scripts
	@scripts/need.sh cargo npm python3
	cargo fmt --check
	cargo clippy --workspace --all-targets -- --deny warnings
	scripts/lint-resolvers.sh
	scripts/lint-shell.sh

.PHONY: fmt
fmt: ## Format the sources
	cargo fmt

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf target dist .local tools/resolver-lint/node_modules

# Of another profile than the functions: the two builds can share the machine.
.PHONY: local-tools
local-tools:
	@scripts/need.sh cargo cc
	cargo build --package local-cloud --package probe

# The functions as they are deployed. cargo knows whether there is something to do.
.PHONY: bootstraps
bootstraps:
	@scripts/need.sh cargo cc
	cargo build --release $(FUNCTIONS:%=--package %)
