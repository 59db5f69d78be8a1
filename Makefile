# Every target bootstraps by itself: Python 3.11+ is all that a fresh machine needs.
PYTHON ?= python3
VENV := .venv
PATROL := $(VENV)/bin/patrol
PORT ?= 8765
FRESH ?=
# Each module is compiled once, not by each process that starts, whatever a container's habits are.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup snowflake-local demo test test-integrations hunt check bench chaos figures mutation lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.ready  ## a virtual environment in .venv with .venv/bin/patrol

$(VENV)/.ready: requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --clear --python $(PYTHON) $(VENV) && \
	  uv pip install -q --python $(VENV)/bin/python -r requirements.lock && \
	  uv pip install -q --python $(VENV)/bin/python --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(VENV)/bin/python -m pip install -q --disable-pip-version-check -r requirements.lock && \
	  $(VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

# One more than there are cores: much of the stories' time is spent waiting for clocks and leases.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

# The local Snowflake stands on another major of the connector: an environment of its own. Tests of it skip, and
# say so, where it cannot be had.
SNOWFLAKE := $(VENV)-snowflake
snowflake-local: $(SNOWFLAKE)/.ready

$(SNOWFLAKE)/.ready: bot/demo/snowflake/requirements.lock
	$(own-environment)

# Other systems, too, each in an environment of its own: what is asked of the real thing. One that cannot be
# had is said, and its tests skip.
INTEGRATIONS := $(patsubst tests/integrations/%.lock,%,$(wildcard tests/integrations/*.lock))
$(VENV)-%/.ready: tests/integrations/%.lock
	$(own-environment)

define own-environment
@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --clear --python $(PYTHON) $(@D) && \
	  uv pip install -q --python $(@D)/bin/python -r $< ; \
	else \
	  $(PYTHON) -m venv --clear $(@D) && \
	  $(@D)/bin/python -m pip install -q --disable-pip-version-check -r $< ; \
	fi
	@touch $@
endef

demo: setup $(if $(WAREHOUSE),snowflake-local)  ## a marketplace, its Slack and Patrol in your browser (FRESH=1 starts anew, PORT=8765, WAREHOUSE=snowflake-local)
	@$(PATROL) demo --port $(PORT) $(if $(FRESH),--fresh) $(if $(WAREHOUSE),--warehouse $(WAREHOUSE))

test: setup  ## every test
	@$(MAKE) --no-print-directory snowflake-local || { rm -rf $(SNOWFLAKE); echo "no local Snowflake: its tests skip"; }
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-integrations: setup  ## jobs against the real dbt, Dagster, Airflow and SageMaker's stand-in (ONLY=dbt)
	@for one in $(or $(ONLY),$(INTEGRATIONS)); do \
	  $(MAKE) --no-print-directory $(VENV)-$$one/.ready || { rm -rf $(VENV)-$$one; echo "no $$one: its tests skip"; }; \
	done
	@$(VENV)/bin/python -m pytest -m integrations tests/integrations $(if $(ONLY),-k $(ONLY)) -rs

hunt: setup  ## the properties alone, over examples never seen before (EXAMPLES=1000 OF=tests/slack)
	@HYPOTHESIS_PROFILE=hunt HUNT=$(or $(EXAMPLES),1000) $(VENV)/bin/python -m pytest -m hypothesis -n auto $(OF)

check: setup  ## ruff, mypy --strict, and patrol's own check of the policies
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(PATROL) check

bench: setup $(if $(WAREHOUSE),snowflake-local)  ## checks a second against a bare loop, row → post, memory (POLICIES=100,1000 ROUNDS=3); or WAREHOUSE=snowflake-local
	@$(if $(WAREHOUSE),$(VENV)/bin/python -m bench.snowflake --queries $(or $(QUERIES),200),POLICIES=$(if $(POLICIES),$(POLICIES),100,1000) ROUNDS=$(or $(ROUNDS),3) $(VENV)/bin/python -m bench.speed)

chaos: setup  ## kill Patrol amid faults, count what is lost or doubled (KILLS=20 SEED=1 STORE=postgres PROCESSES=2 CONTROL=…)
	@$(VENV)/bin/python -m bench.chaos --kills $(or $(KILLS),20) --seed $(or $(SEED),1) \
	  --store $(or $(STORE),sqlite) --processes $(or $(PROCESSES),1) --control "$(CONTROL)" --towns $(or $(TOWNS),2)

figures: setup  ## what is to be reached beside what is measured; some ten minutes, or one row (ROW=click STORE=postgres)
	@$(VENV)/bin/python -m bench.figures --row "$(ROW)" --store $(or $(STORE),sqlite)

mutation: setup  ## which small changes of the core no test notices; some ten minutes (MODULE=bot/core/step.py LINES=100-120)
	@$(VENV)/bin/python -m bench.mutation $(MODULE) $(if $(LINES),--lines $(LINES))

lock:  ## write both requirements.lock again (needs uv)
	uv pip compile pyproject.toml --universal --extra pictures --extra sagemaker --extra snowflake --group dev --generate-hashes --no-header -q -o requirements.lock
	uv pip compile bot/demo/snowflake/requirements.in --universal --python-version 3.11 --generate-hashes --no-header \
	  -q -o bot/demo/snowflake/requirements.lock
	for one in $(wildcard tests/integrations/*.in); do uv pip compile $$one --universal --python-version 3.11 \
	  --no-emit-package patrol --generate-hashes --no-strip-extras --no-header -q -o $${one%.in}.lock; done

clean:  ## remove the environments and the demo's state
	rm -rf $(VENV) $(VENV)-* .patrol
