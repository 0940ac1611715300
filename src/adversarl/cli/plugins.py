"""``adversarl plugins list|show|new|check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.markup import escape

from adversarl.cli.output import console, print_json, table
from adversarl.errors import LiveWorld, UnknownComponent
from adversarl.plugins import Plugins
from adversarl.registry import KINDS, Component

OPTION_COLUMNS = ("key", "default", "allowed", "meaning")


def list_components(plugins: Plugins, kind: str | None, *, as_json: bool) -> None:
    """Lists components, then broken plugins with their causes."""
    if kind is not None and kind not in KINDS:
        raise UnknownComponent("kind", kind, KINDS, "--kind")
    found = [c for c in plugins.registry.all() if kind in (None, c.kind)]
    broken = plugins.registry.broken
    if as_json:
        rows: list[dict[str, str]] = [{**_row(c), "status": "ok"} for c in found]
        rows += [
            {"kind": "", "name": b.plugin, "distribution": b.distribution, "version": b.version}
            | {"summary": b.cause, "status": "broken"}
            for b in broken
        ]
        print_json(rows)
        return
    rows_ = [[c.kind, c.name, f"{c.distribution} {c.version}".strip(), c.summary, "ok"] for c in found]
    rows_ += [["", b.plugin, f"{b.distribution} {b.version}".strip(), b.cause, "broken"] for b in broken]
    styles = [""] * len(found) + ["red"] * len(broken)
    console.print(table("", ["kind", "name", "distribution", "summary", "status"], rows_, styles))


def _row(component: Component) -> dict[str, str]:
    keys = ("kind", "name", "distribution", "version", "summary")
    return {key: str(getattr(component, key)) for key in keys}


def find(plugins: Plugins, name: str) -> Component:
    """A component by ``name`` or ``kind:name``.

    Raises:
        UnknownComponent: There is none, or several kinds have that name.
    """
    kind, colon, rest = name.partition(":")
    if colon:
        return plugins.registry.get(kind, rest)
    found = [c for c in plugins.registry.all() if c.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(f"{c.kind}:{c.name}" for c in found)
        raise UnknownComponent("single component", name, [], hint=f"Say which: {choices}")
    raise UnknownComponent("component", name, {c.name for c in plugins.registry.all()})


def show_component(plugins: Plugins, name: str, *, as_json: bool) -> None:
    """Shows a component's options."""
    component = find(plugins, name)
    cls = component.load()
    schema = cls.Options.model_json_schema()
    if as_json:
        print_json({**_row(component), "target": component.target, "options": schema})
        return
    console.print(f"[bold]{escape(component.kind)} {escape(component.name)}[/]  {escape(component.summary)}")
    console.print(f"{component.distribution} {component.version}  ({component.target})\n", highlight=False)
    console.print(table("", OPTION_COLUMNS, option_rows(schema)))


def option_rows(schema: dict[str, Any]) -> list[list[str]]:
    """Rows under `OPTION_COLUMNS` from the JSON schema of an options model."""
    return [
        [key, _default(field), " ".join(filter(None, (_type(field), _range(field)))), field.get("description", "")]
        for key, field in schema.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "discriminator" in field:
        return " | ".join([*(f'"{name}"' for name in field["discriminator"]["mapping"]), "table"])
    if "enum" in field:
        return " | ".join(f'"{value}"' for value in field["enum"])
    if "anyOf" in field:
        return " | ".join(_type(option) for option in field["anyOf"] if option.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("const", field.get("type", "table")))


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return "required"
    default = field["default"]
    if "discriminator" in field and isinstance(default, dict):
        default = default[field["discriminator"]["propertyName"]]
    return "" if default is None else str(default)


def _range(field: dict[str, Any]) -> str:
    signs = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
    return ", ".join(text.format(field[key]) for key, text in signs.items() if key in field)


def new_plugin(name: str, kind: str, out: Path) -> None:
    """Writes a plugin package and says what to do with it."""
    from adversarl.scaffold import scaffold

    if kind not in KINDS:
        raise UnknownComponent("kind", kind, KINDS, "--kind")
    folder = scaffold(name, kind, out)
    console.print(f"wrote {folder}. Try it:", highlight=False)
    for line in (f"pip install -e {folder}", f"pytest {folder}", f"adversarl plugins check {kind}:{name}"):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print(f"  adversarl run {folder}/recipe.toml", highlight=False, soft_wrap=True)


def check_component(plugins: Plugins, name: str, overrides: list[str], *, as_json: bool) -> None:
    """Runs the conformance kit."""
    from unittest import SkipTest

    from adversarl.recipe import validate_options
    from adversarl.testing import ConformanceError, checks_for

    component = find(plugins, name)
    cls = component.load()
    options = validate_options(cls.Options, overrides, component.name)
    if component.kind == "backend" and cls(options).live:
        raise LiveWorld(name, "which never repeat, so there is nothing that the conformance kit can check")
    rows: list[dict[str, str]] = []
    for check in checks_for(component.kind):
        try:
            check(cls, options)
            rows.append({"check": check.__name__, "status": "ok", "problem": ""})
        except ConformanceError as error:
            rows.append({"check": check.__name__, "status": "failed", "problem": str(error)})
        except SkipTest as error:
            rows.append({"check": check.__name__, "status": "skipped", "problem": str(error)})
    if as_json:
        print_json(rows)
    else:
        styles = ["red" if row["status"] == "failed" else "" for row in rows]
        title = f"{component.kind} {component.name}"
        console.print(table(title, ["check", "status", "problem"], [list(row.values()) for row in rows], styles))
    sys.exit(int(any(row["status"] == "failed" for row in rows)))
