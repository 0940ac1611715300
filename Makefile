# make setup   .venv with the core, every first-party plugin and the development tools
# make run     train recipes/adaptive.toml        make test   the whole test suite, with coverage
# make lint    ruff, mypy, import-linter          make docs   the documentation, into site/
# make test-clip   tests of adversarl-clip in an environment of its own, .venv-clip (5.5 GB)
PYTHON ?= python3
RECIPE ?= recipes/adaptive.toml
ARGS ?=
WORKERS ?= 2

BIN := .venv/bin
CLIP := plugins/adversarl-clip
PLUGINS := $(filter-out $(CLIP),$(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
MESA := libegl1 libegl-mesa0 libgl1-mesa-dri mesa-vulkan-drivers libvulkan1

# Without a display MuJoCo's default (GLFW) cannot draw; a choice made outside is kept.
ifeq ($(shell uname)$(DISPLAY)$(WAYLAND_DISPLAY),Linux)
export MUJOCO_GL ?= egl
endif

.PHONY: setup mesa run test test-clip lint docs gallery wheels clean
.DEFAULT_GOAL := setup

setup: .venv/.installed

# Re-done when a dependency list changes. One pip command: the packages of this repository satisfy each other.
.venv/.installed: Makefile pyproject.toml constraints.txt $(PLUGINS:%=%/pyproject.toml) $(CLIP)/pyproject.toml
	@$(MAKE) --no-print-directory mesa
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" "hatchling>=1.27" "editables>=0.5"
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt \
	  -e . $(PLUGINS:%=-e %) --group dev
	@# clip's PyTorch and torchvision have to match and are not those of the rest: here it is only listed and checked.
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e $(CLIP)
	@# A Panda by other people, for the tests of robots from files; only its model is used, so its dependencies stay out.
	$(BIN)/python -m pip install --quiet --no-deps "gym-hil>=0.1.14"
	@touch $@

# Software OpenGL and Vulkan for headless rendering, where apt-get may be used; elsewhere only the line to run.
mesa:
	@set -e; \
	if [ "$$(uname)" != Linux ] || dpkg --status $(MESA) >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo=sudo; else sudo=none; fi; \
	if [ "$$sudo" = none ] || ! command -v apt-get >/dev/null; then \
	  echo "Headless rendering needs Mesa. On Debian or Ubuntu run: sudo apt-get install -y $(MESA)"; exit 0; \
	fi; \
	$$sudo apt-get update -qq; \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(MESA) >/dev/null

run: setup
	$(BIN)/adversarl run $(RECIPE) $(ARGS)

# One BLAS thread a worker: two workers fill two cores, and results do not depend on the machine.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

# open_clip needs a PyTorch and a torchvision of one release.
.venv-clip/.installed: Makefile pyproject.toml $(CLIP)/pyproject.toml $(CLIP)/constraints.txt
	@$(MAKE) --no-print-directory mesa
	$(PYTHON) -m venv .venv-clip
	.venv-clip/bin/python -m pip install --quiet --upgrade "pip>=25.1" "hatchling>=1.27" "editables>=0.5"
	.venv-clip/bin/python -m pip install --quiet --no-build-isolation -c $(CLIP)/constraints.txt \
	  -e . -e plugins/adversarl-mujoco -e plugins/adversarl-rewards -e $(CLIP) "pytest>=8.4" "pytest-timeout>=2.3"
	@touch $@

test-clip: .venv-clip/.installed
	OMP_NUM_THREADS=1 .venv-clip/bin/python -m pytest $(CLIP) $(ARGS)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/mkdocs build --strict

# The pictures of the documentation: every axis at 0, 1/2 and 1, and every task.
gallery: setup
	for group in visual geometry dynamics sensor; do \
	  $(BIN)/adversarl axes list --group $$group --render docs/images/axes-$$group.jpg >/dev/null || exit 1; \
	done
	$(BIN)/adversarl bench teachers --episodes 1 --render docs/images/tasks

# One wheel of the core and one of each plugin, into dist/.
wheels: setup
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . $(PLUGINS:%=./%) ./$(CLIP)

clean:
	rm -rf .venv .venv-clip dist site
