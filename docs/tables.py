"""Tables of the documentation that mkdocs builds from the components themselves, so that they cannot be out of date."""

from __future__ import annotations

from typing import Any

from adversarl.cli.plugins import OPTION_COLUMNS, option_rows
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import RunOptions
from adversarl.registry import KINDS, Component


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The mkdocs event: replaces the comments that stand for tables."""
    markdown = markdown.replace("<!-- options: run -->", options(RunOptions))
    if "<!-- components -->" in markdown:
        markdown = markdown.replace("<!-- components -->", components(build_plugin_manager()))
    return markdown


def components(plugins: Plugins) -> str:
    """A section per kind with every installed component and its keys."""
    lines = []
    for kind in KINDS:
        found = [component for component in plugins.registry.all() if component.kind == kind]
        lines += [f"## {kind}", "", *(_section(component) for component in found)]
    return "\n".join(lines)


def _section(component: Component) -> str:
    head = f"### `{component.name}`\n\n{component.summary}. In `{component.distribution}`."
    return f"{head}\n\n{options(component.load().Options)}\n"


def options(model: Any) -> str:
    """The keys of an options model as a table."""
    rows = option_rows(model.model_json_schema())
    if not rows:
        return "No keys."
    lines = [OPTION_COLUMNS, ["---"] * len(OPTION_COLUMNS), *([f"`{key}`", *rest] for key, *rest in rows)]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
