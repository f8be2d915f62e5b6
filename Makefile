# One line a verb; each builds .venv when it is missing. AS_OF is the only place that knows today's date.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
AS_OF ?= $(shell date +%F)
CONF ?= conf
LANG_ ?= fr
CADENCE ?= quarterly
DEMO_AS_OF ?= 2026-06-30
WINWORTH = .venv/bin/winworth
export GOMP_SPINCOUNT ?= 10000
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:.*## / {print $$1}' $(firstword $(MAKEFILE_LIST)))

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/.ready  ## a synthetic company, the whole way: trained, promoted, scored, reviewed
	$(WINWORTH) demo --as-of $(DEMO_AS_OF) --conf conf --home demo$(if $(WORLD), --world $(WORLD))$(if $(DIRTY), --dirty)

init: .venv/.ready  ## draft a configuration: make init EXPORTS=folder OUT=conf-mine (PRESET=salesforce, hubspot, dynamics)
	$(WINWORTH) init $(EXPORTS) $(if $(OUT),--out $(OUT)) $(if $(PRESET),--preset $(PRESET))

check: .venv/.ready  ## read everything, report data quality, train nothing
	$(WINWORTH) check --as-of $(AS_OF) --conf $(CONF)

train: .venv/.ready  ## learn, weigh and judge: a challenger
	$(WINWORTH) train --as-of $(AS_OF) --conf $(CONF)

tune: .venv/.ready  ## seek better settings, resumable
	$(WINWORTH) tune --as-of $(AS_OF) --conf $(CONF)

promote: .venv/.ready  ## let the challenger through the gate, or say why not
	$(WINWORTH) promote

agree: .venv/.ready  ## price and record what leadership set in overrides.yaml
	$(WINWORTH) agree --as-of $(AS_OF) --conf $(CONF)

predict: .venv/.ready  ## score every account and open deal with the champion
	$(WINWORTH) predict --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

explain: .venv/.ready  ## one account's scorecard: make explain ACCOUNT=A0001
	$(WINWORTH) explain $(ACCOUNT) --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

forget: .venv/.ready  ## remove an account or a person from what is stored: make forget ID=A0001
	$(WINWORTH) forget $(ID)

monitor: .venv/.ready  ## the champion beside what came since: go on, recalibrate, retrain or stop (its exit code: 0, 10, 11, 12)
	$(WINWORTH) monitor --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

recalibrate: .venv/.ready  ## the champion's chances fitted to recent deals: a challenger, or why not
	$(WINWORTH) recalibrate --as-of $(AS_OF) --conf $(CONF)

review: .venv/.ready  ## the page that sales leadership reads
	$(WINWORTH) review --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_) --cadence $(CADENCE)

monthly: .venv/.ready  ## a month: check, predict, monitor, review; goes on where it stopped: FROM=predict, AGAIN=1
	$(WINWORTH) monthly --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)$(if $(FROM), --from $(FROM))$(if $(AGAIN), --again)

quarterly: .venv/.ready  ## a quarter: archive, check, train, compare, promote, predict, review; goes on where it stopped
	$(WINWORTH) quarterly --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)$(if $(FROM), --from $(FROM))$(if $(AGAIN), --again)

kpi: .venv/.ready  ## the ten KPIs by tier, segment, size and quarter: make kpi BY=headcount adds a feature
	$(WINWORTH) kpi --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_) $(if $(BY),--by $(BY))

compare: .venv/.ready  ## before and after: make compare SPLIT=2025-07-01 TREATED=ETI BY=size_class
	$(WINWORTH) compare --split $(SPLIT) --treated $(TREATED) $(if $(BY),--by $(BY)) --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

backtest: .venv/.ready  ## would working the highest scores first have paid, in the quarters that have passed
	$(WINWORTH) backtest --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

advise: .venv/.ready  ## where hours should go, and what gaps call for: make advise BY=region
	$(WINWORTH) advise $(if $(BY),--by $(BY)) --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

validate: .venv/.ready  ## sellers beside the model: make validate FILE=sheet.xlsx, and with BACK=1 once it is filled in
	$(WINWORTH) validate $(if $(BACK),--in,--out) $(FILE) --as-of $(AS_OF) --conf $(CONF) --lang $(LANG_)

test: .venv/.ready  ## all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow and not long"

notebooks: .venv/.ready  ## run the notebooks on the demo company, storing nothing
	@test -d demo/scores || $(MAKE) demo
	$(BIN)/jupyter-execute notebooks/*.ipynb

test-slow: .venv/.ready  ## the truth tests that take minutes
	$(BIN)/python -m pytest -m slow

test-long: .venv/.ready  ## the truth tests that take longer still
	$(BIN)/python -m pytest -m long

lint: .venv/.ready  ## format and lint, changing nothing
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: .venv/.ready  ## what is measured against what
	$(BIN)/python bench/features.py
	$(BIN)/python bench/growth.py
	$(BIN)/python bench/fresh_deals.py
	$(BIN)/python bench/gate.py
	$(BIN)/python bench/retention.py
	$(BIN)/python bench/tiers.py

docs: .venv/.ready  ## write docs/data-dictionary.md anew from the tables
	$(BIN)/python docs/data_dictionary.py

lock: .venv/.ready  ## write requirements.lock anew from what is installed
	$(BIN)/python -m pip freeze --all --exclude-editable | grep -E '^[A-Za-z0-9._-]+==' | grep -v '^pip==' > requirements.lock

clean:  ## remove what can be made again (never models, scores or reviews)
	rm -rf .venv demo build .pytest_cache .ruff_cache .hypothesis
