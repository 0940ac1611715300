"""The rules of the house that no linter knows: sizes, packages under contract, recipes that differ in one table."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from adversarl.known import HOMES
from adversarl.recipe import load_recipe, read_toml

ROOT = Path(__file__).parent.parent
PLUGINS = sorted((ROOT / "plugins").glob("adversarl-*"))
SOURCES = [path for tree in (ROOT / "src", *(p / "src" for p in PLUGINS)) for path in tree.rglob("*.py")]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def test_a_module_has_at_most_300_lines_and_a_function_60():
    long = [f"{path.relative_to(ROOT)}" for path in SOURCES if len(path.read_text().splitlines()) > 300]
    long += [f"{path.relative_to(ROOT)}: {name}" for path in SOURCES for name, n in functions(path) if n > 60]
    assert long == []


def test_a_plugin_is_a_page():
    for plugin in PLUGINS:
        (page,) = plugin.glob("src/*/plugin.py")
        assert len(page.read_text().splitlines()) <= 40, page


def test_only_the_command_line_prints():
    printing = [path for path in SOURCES if re.search(r"^\s*print\(", path.read_text(), re.MULTILINE)]
    assert {path.relative_to(ROOT).parts[:3] for path in printing} <= {("src", "adversarl", "cli")}


def test_every_first_party_package_is_known_and_under_every_contract():
    names = {plugin.name for plugin in PLUGINS}
    assert set(HOMES) == names
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    apart = {"adversarl-clip"}  # its PyTorch and torchvision have to match
    assert set(config["project"]["optional-dependencies"]["lab"]) == names - apart
    linter = config["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in linter["contracts"]}
    for module in (name.replace("-", "_") for name in names):
        assert module in linter["root_packages"]
        assert module in contracts["core"]["forbidden_modules"]
        assert module in contracts["plugins"]["modules"]
        assert {module, f"{module}.plugin"} <= set(contracts["light"]["source_modules"])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_valid(path, plugins):
    load_recipe(path, plugins.registry)


def test_the_three_conditions_differ_in_the_curriculum_alone():
    conditions = [read_toml(ROOT / "recipes" / f"{name}.toml") for name in ("baseline", "static", "adaptive")]
    assert len({tables.pop("curriculum")["use"] for tables in conditions}) == 3
    assert conditions[0] == conditions[1] == conditions[2]


def test_what_pictures_teach_is_compared_with_the_same_but_for_the_reward():
    conditions = [read_toml(ROOT / "recipes" / f"pick-{name}.toml") for name in ("classifier", "state")]
    assert [tables.pop("reward")["use"] for tables in conditions] == ["classifier", "state"]
    assert conditions[0] == conditions[1]
    assert conditions[0]["learner"]["distillation"] == 0


def test_make_targets_that_people_are_told_about_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md", "docs/index.md"):
        assert set(re.findall(r"^(?:    )?make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE)) <= targets
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    assert "make run" in head
    assert "make test" in head
