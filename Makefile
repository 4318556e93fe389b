# Two commands matter: `make simulacro` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SELLO := $(VENV)/.entorno-$(shell cat requirements/simulacro.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)
SELLO_PRUEBAS := $(VENV)/.pruebas-$(shell cat requirements/pruebas.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)
SELLO_BENCH := $(VENV)/.bench-$(shell cat requirements/bench.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)
SELLO_FUZZ := $(VENV)/.fuzz-$(shell cat requirements/fuzz.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)
SELLO_SPARK := $(VENV)/.spark-$(shell cat requirements/spark.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)
ARGS ?=
# Two processes more than there are cores: half of its time a test waits for a server. Their folders are in memory where
# there is room: they make and remove some hundred thousand files, which an ext4 without journal does slower and slower.
PROCESOS ?= $(shell expr $$(nproc) + 2)
MEMORIA := $(shell [ "$$(df --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 4000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)
# Debian keeps the servers that tests and bench start out of an ordinary user's PATH.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
# Compiled once, also where the environment asks for nothing to be kept: the tests start the program a thousand times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: entorno simulacro test lint bench transporte lighthouse aguante spark fuzz docs referencia sitio capturas candado limpia

entorno: $(SELLO)  ## .venv with what Pregón itself needs, nothing else

$(SELLO): requirements/simulacro.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Pregón necesita Python 3.11 o posterior (PYTHON=$(PYTHON))." >&2; exit 69; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/simulacro.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.entorno-* && touch $@

$(SELLO_PRUEBAS): $(SELLO) requirements/pruebas.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/pruebas.txt
	@rm -f $(VENV)/.pruebas-* && touch $@

$(SELLO_BENCH): $(SELLO) requirements/bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@rm -f $(VENV)/.bench-* && touch $@

$(SELLO_FUZZ): $(SELLO_PRUEBAS) requirements/fuzz.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@rm -f $(VENV)/.fuzz-* && touch $@

$(SELLO_SPARK): $(SELLO_PRUEBAS) requirements/spark.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark.txt
	@rm -f $(VENV)/.spark-* && touch $@

simulacro: $(SELLO)  ## a synthetic night on this machine; ABIERTO=1 keeps serving
	$(BIN)/pregon simulacro noche $(if $(ABIERTO),--abierto) $(ARGS)

test: $(SELLO_PRUEBAS)  ## the whole suite; installs the system programs it needs when it may
	scripts/requisitos.sh pruebas
	@$(BIN)/python -m compileall -q src
	$(MEMORIA) $(BIN)/python -m pytest -n $(PROCESOS) --dist loadgroup -m 'not aguante' $(ARGS)

lint: $(SELLO_PRUEBAS)  ## style, types and the arrows between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(SELLO_BENCH) $(SELLO_PRUEBAS)  ## ratios against peers, measured in the same run (docs/rendimiento.md); what the tests need is needed
	scripts/requisitos.sh pruebas
	$(BIN)/python -m bench $(ARGS)

transporte: $(SELLO_PRUEBAS)  ## carriers over slow and lossy links, and sixty difusores at once; as root
	scripts/requisitos.sh pruebas
	$(BIN)/python -m bench --medida transporte $(ARGS)

lighthouse: $(SELLO_BENCH)  ## the portal's pages under Lighthouse, medians of 5; Node, npm and chromium are needed
	npm install --prefix $(VENV)/lighthouse --no-save --no-fund --no-audit --silent lighthouse@12.8.2
	$(BIN)/python -m bench --medida portal $(ARGS)

aguante: $(SELLO_PRUEBAS) $(SELLO_SPARK)  ## slow soaks; Spark among them, which needs Java 17
	scripts/requisitos.sh spark
	$(BIN)/python -m pytest -m aguante $(ARGS)

spark: $(SELLO_SPARK)  ## DuckDB and a real Spark of this machine on the same log, to the unit; Java 17 is needed
	scripts/requisitos.sh spark
	$(MEMORIA) $(BIN)/python -m pytest -m aguante tests/bitacoras/test_spark.py $(ARGS)

fuzz: $(SELLO_FUZZ)  ## the property tests with many more examples, then ten minutes of search in each target (docs/fuzz.md)
	$(BIN)/python -m fuzz $(ARGS)

docs: $(SELLO_PRUEBAS)  ## that links lead somewhere and every command named exists
	$(BIN)/python -m pytest tests/docs $(ARGS)

referencia: $(SELLO_PRUEBAS)  ## docs/referencia, written again from the program
	$(BIN)/python scripts/referencia.py docs/referencia

sitio: $(SELLO_PRUEBAS)  ## the docs as a site, in build/sitio; a warning fails
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/sitio
	@echo "LISTO $(CURDIR)/build/sitio/index.html"

capturas: $(SELLO_PRUEBAS)  ## the screenshots and page images of the docs
	scripts/requisitos.sh pruebas
	$(BIN)/python scripts/capturas.py docs/portal
	$(BIN)/python scripts/capturas_publico.py docs/tablero
	$(BIN)/python -m scripts.capturas_papeles docs/memoria
	$(BIN)/python -m scripts.capturas_memoria docs/memoria
	$(BIN)/python -m scripts.capturas_tablero docs/tablero
	$(BIN)/python -m scripts.capturas_vivo docs/simulacro

candado: $(SELLO_PRUEBAS)  ## lock the dependencies again, with hashes
	scripts/candado.sh

limpia:  ## remove what this Makefile made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
