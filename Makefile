SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(wildcard lambdas/functions/*))
PROMPT ?= Why is the sky blue?

# What the functions are built for: arm64 or x86_64. Terraform follows what was built.
CPU_ARCHITECTURE ?= $(shell uname -m | sed 's/aarch64/arm64/')

# Make variables of `make local` and `make fuzz` reach the programs as their environment.
export LOCAL_PORT PAGE_PORT LLM_URL LLM_MODEL BEDROCK_URL SECONDS_EACH

##@ Use

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: local
local: ## Run everything on this machine (LLM_URL= LLM_MODEL=, BEDROCK_URL=, LOCAL_PORT=, PAGE_PORT=)
	@$(MAKE) --no-print-directory --jobs 2 bootstraps local-tools client-packages
	@exec scripts/local.sh

.PHONY: probe
probe: ## Stream PROMPT="..." through all three, with timings
	@cargo run --quiet --package probe -- "$(PROMPT)"

##@ Deploy

.PHONY: build
build: ## Build the functions' zips into dist/ (CPU_ARCHITECTURE=arm64 or x86_64)
	scripts/package.sh $(CPU_ARCHITECTURE) $(FUNCTIONS)

.PHONY: plan
plan: build ## Show what deploy would do
	@scripts/aws-account.sh
	@scripts/terraform-init.sh
	terraform -chdir=terraform plan

.PHONY: deploy
deploy: build ## Deploy to your AWS account and write frontend/.env
	@scripts/deploy.sh

.PHONY: client
client: client-packages ## Build the page into frontend/dist, for what is deployed
	cd frontend && npm run build

.PHONY: smoke
smoke: ## Stream one answer through each deployed architecture
	@scripts/smoke.sh

##@ Develop

.PHONY: test
test: lint bootstraps build ## Everything that CI runs
	scripts/test-client.sh
	cargo test --workspace
	scripts/test-browser.sh
	scripts/deployment-test.sh

.PHONY: lint
lint: ## Check format and style of everything, and Terraform's rules
	@scripts/need.sh cargo npm python3 terraform
	cargo fmt --check
	cargo clippy --workspace --all-targets -- --deny warnings
	scripts/lint-resolvers.sh
	scripts/lint-shell.sh
	scripts/lint-python.sh
	scripts/lint-terraform.sh
	scripts/lint-dependencies.sh

.PHONY: fmt
fmt: ## Format the sources
	cargo fmt
	terraform fmt -recursive terraform
	scripts/lint-python.sh --fix
	scripts/npm-packages.sh frontend && cd frontend && npm run fmt

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf target dist .local terraform/.terraform tools/resolver-lint/node_modules frontend/node_modules frontend/dist

##@ Prove

.PHONY: faults
faults: bootstraps ## Throw every fault at the functions and rewrite the tables in docs/reliability.md
	TOKEN_CORPUS_REPORT=$(CURDIR)/target/token-corpus.json cargo test --quiet --package auth --test verifier every_token
	cargo run --package reliability -- --tokens target/token-corpus.json --write docs/reliability.md

.PHONY: load
load: bootstraps ## Run hundreds of streams at once, or SOAK=15 minutes of short ones
	cargo run --profile load --package reliability --bin load -- --write docs/reliability.md $(if $(SOAK),--soak $(SOAK))

.PHONY: bench
bench: build ## Measure the functions next to others that do the same job, and rewrite benchmarks/ (ONLY=init,curve QUICK=1)
	@scripts/benchmark-peers.sh
	cargo run --profile load --package bench -- $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

.PHONY: fuzz
fuzz: ## Look for inputs that break a property, SECONDS_EACH=30 per target (nightly Rust)
	@scripts/fuzz.sh

.PHONY: audit
audit: ## Look up known vulnerabilities of all dependencies (asks GitHub and npm)
	@scripts/audit.sh

# Of another profile than the functions: the two builds can share the machine.
.PHONY: local-tools
local-tools:
	@scripts/need.sh cargo cc
	cargo build --package local-cloud --package probe

.PHONY: client-packages
client-packages:
	@scripts/npm-packages.sh frontend

# The functions as they are deployed, for this machine. cargo knows whether there is something to do.
.PHONY: bootstraps
bootstraps:
	@scripts/need.sh cargo cc
	cargo build --release $(FUNCTIONS:%=--package %)
