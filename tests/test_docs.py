"""The documentation says what is so: its recipes and code run, its keys, commands and files exist."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adversarl.recipe import TABLES, load_recipe, parse_recipe
from adversarl.registry import KINDS
from adversarl.training import train

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HELLO = DOCS / "examples" / "adversarl-hello"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [(title, text) for kind, title, text in BLOCK.findall((DOCS / page).read_text()) if kind == language]


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    """The example, installed as a user would, into a folder of its own."""
    target = tmp_path_factory.mktemp("hello")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(HELLO)], check=True, timeout=240)
    return {**os.environ, "PYTHONPATH": str(target)}


def test_the_page_shows_the_files_of_the_example():
    shown = [(title, text) for kind in ("toml", "python") for title, text in blocks("write-a-plugin.md", kind)]
    files = {title: text for title, text in shown if (HELLO / title).exists()}
    assert {"pyproject.toml", "src/adversarl_hello/plugin.py", "src/adversarl_hello/staircase.py"} <= set(files)
    assert all((HELLO / title).read_text() == text for title, text in files.items())
    assert [title for title, _ in shown if title not in files] == ["one-file.py"]


def test_the_example_is_at_most_eighty_lines():
    assert sum(len(path.read_text().splitlines()) for path in HELLO.glob("src/**/*.py")) <= 80


def test_the_tests_of_the_example_pass(hello, tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--import-mode=importlib", str(HELLO / "tests")]
    result = subprocess.run(command, cwd=tmp_path, env=hello, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("command", ["plugins check curriculum:hello", "plugins show hello", "recipes check RECIPE"])
def test_the_example_answers_to_the_commands_of_the_page(hello, command):
    words = command.replace("RECIPE", str(HELLO / "recipe.toml")).split()
    main = "from adversarl.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", main, *words], env=hello, capture_output=True, text=True, check=False, timeout=240
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_one_file_plugin_of_the_page_runs(adversarl, recipe_file, write, tmp_path):
    ((_, text),) = [b for b in blocks("write-a-plugin.md", "python") if b[0] == "one-file.py"]
    done = adversarl(
        "run", recipe_file, "--set", "curriculum.use=dark", "--plugin", write(text, "one-file.py"),
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.code == 0
    assert "it is always dark" in (tmp_path / "run" / "curriculum.jsonl").read_text()


def test_the_page_names_every_kind():
    text = (DOCS / "write-a-plugin.md").read_text()
    assert all(f"add.{kind}" in text for kind in KINDS)


def test_the_recipe_of_the_page_names_every_table_and_its_defaults(write, registry):
    ((_, text),) = [b for b in blocks("recipes.md", "toml")]
    shown = tomllib.loads(text)
    assert set(shown) == {"run", *TABLES, "tracking"}
    load_recipe(write(text, "page.toml"), registry)
    for table, (_, key, default) in TABLES.items():
        assert default in (None, shown[table][key])


def test_keys_that_a_page_calls_common_are_common(plugins):
    rows = re.findall(r"^\| `\[(\w+)\]` \| (.*) \|$", (DOCS / "recipes.md").read_text(), re.MULTILINE)
    assert rows
    for table, cell in rows:
        for component in plugins.registry.all():
            if component.kind == TABLES[table][0]:
                assert set(re.findall(r"`(\w+)`", cell)) <= set(component.load().Options.model_fields), component


def test_a_run_writes_the_files_that_the_page_lists(plugins, recipe_file, registry, tmp_path):
    head, _, tail = (DOCS / "run-folder.md").read_text().partition("## When")
    summary = train(load_recipe(recipe_file, registry), plugins, tmp_path / "run")
    written = {path.name + "/" * path.is_dir() for path in (tmp_path / "run").iterdir()}
    assert written | {"evaluations.json", "claude.jsonl", "odyssey.jsonl"} == set(
        re.findall(r"^\| `([\w./]+)` \|", head, re.MULTILINE)
    )
    assert set(re.findall(r"`([a-z_]+)`", tail.partition("## `summary.json`")[2])) <= set(summary)


def _tables():
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_documentation_have_every_component_and_every_key(plugins):
    text = _tables().on_page_markdown((DOCS / "components.md").read_text())
    for component in plugins.registry.all():
        assert f"### `{component.name}`" in text
        for key in component.load().Options.model_fields:
            assert f"| `{key}` |" in text
    run = _tables().on_page_markdown((DOCS / "recipes.md").read_text())
    assert "| `checkpoint_every` |" in run
    assert "<!--" not in text + run


def test_the_page_of_tasks_has_every_task_with_its_keys_and_its_picture():
    from adversarl_mujoco.tasks.catalog import TASKS

    text = _tables().on_page_markdown((DOCS / "tasks.md").read_text())
    for name, task in TASKS.items():
        section = text.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
        for table in ("success", "reward"):
            for key in task.Options.model_fields[table].annotation.model_fields:
                assert f"| `{key}` |" in section, (name, key)
        ((picture),) = re.findall(r"\]\((images/tasks/.*)\)", section)
        assert (DOCS / picture).exists()


def test_the_tables_of_the_page_of_tasks_are_ones_that_a_recipe_takes(plugins, small):
    for _, text in blocks("tasks.md", "toml"):
        tables = tomllib.loads(small)
        tables["backend"] = {"use": "mujoco", **tomllib.loads(text)}
        parse_recipe(tables, plugins.registry, "tasks.md")


def test_every_page_is_in_the_navigation_and_every_link_leads_somewhere():
    config = (ROOT / "mkdocs.yml").read_text()
    pages = sorted(path.name for path in DOCS.glob("*.md"))
    assert sorted(re.findall(r"^  - ([\w-]+\.md)$", config, re.MULTILINE)) == pages
    for page in pages:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", (DOCS / page).read_text()):
            assert (DOCS / target).exists(), f"{page}: {target}"


def test_every_module_of_the_core_has_its_place_in_the_picture():
    text = (DOCS / "architecture.md").read_text()
    names = {path.name for path in (ROOT / "src" / "adversarl").iterdir()} - {"py.typed", "__pycache__"}
    missing = {name for name in names if name not in text}
    assert missing == set()


def test_the_page_of_curricula_names_every_one_and_shows_every_one_that_was_compared(registry):
    from adversarl_curricula.bench.conditions import CURRICULA

    text = _tables().on_page_markdown((DOCS / "curricula.md").read_text())
    assert "<!--" not in text
    assert all(f"`{name}`" in text for name in registry.names("curriculum"))
    assert all(f"| {name} |" in text for name in CURRICULA)
