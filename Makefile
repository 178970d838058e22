# The front door. `make` alone says what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Built things stay outside the checkout, so that two checkouts share one cold build.
export HOLDFAST_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/holdfast
export CARGO_TARGET_DIR ?= $(HOLDFAST_CACHE)/target
export CARGO_TERM_COLOR ?= auto

# Private items are documented too, so that a link to one leads somewhere.
DOC_FLAGS := -D warnings -A rustdoc::private_intra_doc_links

.PHONY: help setup fmt check tidy deny test test-odoo sim demo bench lab odoo clean-cache

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | \
	  while IFS=$$'\t' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: ## installs what a bare Debian 12 lacks (needs root or sudo once)
	@scripts/setup.sh build

fmt: ## formats the Rust code
	cargo fmt --all

check: setup ## format, lints, the house's rules, documentation, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	cargo test --locked --quiet --test tidy
	RUSTDOCFLAGS="$(DOC_FLAGS)" cargo doc --workspace --no-deps --document-private-items --locked --quiet
	@scripts/deny.sh

tidy: setup ## the house's rules alone
	cargo test --locked --quiet --test tidy

deny: ## licences, bans and sources; installs cargo-deny where it is missing
	@scripts/deny.sh

test: setup ## every test, against a private PostgreSQL and the lab
	@scripts/test.sh

sim: setup ## random lives of mailboxes and a CRM; WORLDS=n for so many, SEED=n for one again
	@scripts/sim.sh "$(WORLDS)" "$(SEED)"

test-odoo: setup ## the tests against a real Odoo alone; fails where it cannot be had
	@scripts/odoo.sh up >/dev/null
	cargo nextest run --workspace --locked -E 'test(/^odoo_/)'

demo: setup ## twenty mailboxes meet a CRM, both ways; CHECK=1 proves it and ends; CRM=odoo
	@scripts/demo$(if $(filter odoo,$(CRM)),_odoo).sh $(if $(CHECK),--check)

bench: setup ## the figures, each beside what it is compared with
	@scripts/bench.sh
	@scripts/bench_costs.sh
	@scripts/bench_lag.sh
	@scripts/bench_odoo.sh

lab: setup ## an Exchange and a Salesforce to play with, until Ctrl-C
	cargo run --locked --quiet -p holdfast-lab -- up --people $(or $(PEOPLE),20) --seed $(or $(SEED),1) --http

odoo: setup ## a real Odoo on loopback, kept between runs; DOWN=1 stops it
	@scripts/odoo.sh $(if $(DOWN),down,up)

clean-cache: ## removes what was built and downloaded outside the checkout
	@[ ! -e "$(HOLDFAST_CACHE)/odoo" ] || scripts/odoo.sh down
	rm -rf "$(HOLDFAST_CACHE)"
