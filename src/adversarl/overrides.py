"""One key of a recipe changed on the command line: ``--set table.key=value``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from adversarl.errors import AdversarlError, RecipeError
from adversarl.registry import Registry

TABLES = {
    "backend": ("backend", "use", None),
    "reward": ("reward", "use", "state"),
    "failure": ("failure", "use", "none"),
    "curriculum": ("curriculum", "use", "none"),
    "learner": ("learner", "use", None),
    "evaluation": ("suite", "suite", "robustness"),
}
"""Table → kind of component, the key that names it, and the default name."""


def apply_overrides(tables: dict[str, Any], overrides: Iterable[str], registry: Registry | None = None) -> None:
    """Changes tables in place by ``table.key=value`` strings; the right side is a TOML value, or else a plain string.

    One that chooses another component is carried out before the others, and drops the keys that this one does not have;
    without a registry it drops all of them.
    """
    for override in sorted(overrides, key=_chooses, reverse=True):
        _override(tables, override, registry)


def _override(tables: dict[str, Any], override: str, registry: Registry | None) -> None:
    path, equals, text = override.partition("=")
    *parents, key = path.strip().split(".")
    if not equals or not parents or not all([*parents, key]):
        raise RecipeError("--set", override, "write it as table.key=value, such as learner.learning_rate=1e-4")
    table = tables
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise RecipeError("--set", override, _no_table(path.strip(), parent, table))
    value = _value(text.strip())
    if _chooses(override) and value != table.get(key, TABLES[parents[0]][2]):
        for other in set(table) - _keys(parents[0], value, table, registry):
            del table[other]  # it belongs to the component that the table named
    table[key] = value


def _keys(kind: str, name: Any, table: dict[str, Any], registry: Registry | None) -> set[str]:
    """Keys of a component, as far as it is known; what is wrong with its name is told when it is made."""
    from adversarl.interfaces.backend import BackendOptions

    if registry is None or not isinstance(name, str):
        return set()
    try:
        options = registry.get(TABLES[kind][0], name).load().Options
        further = options.further_keys(table) if issubclass(options, BackendOptions) else set()
        return further | set(options.model_fields)
    except AdversarlError:
        return set()


def _no_table(path: str, parent: str, value: Any) -> str:
    if not isinstance(value, str):
        return f"'{parent}' is a value, not a table"
    whole = path.partition(f".{parent}.")[0] + f".{parent}"
    advice = f"Where a table may stand, write it whole: {whole}={{KEY=VALUE}}"
    return f"'{parent}' is the name '{value}', not a table. {advice}"


def _chooses(override: str) -> bool:
    """Whether an override names a component, such as ``learner.use=sac``."""
    table, _, key = override.partition("=")[0].strip().partition(".")
    return table in TABLES and key == TABLES[table][1]


def _value(text: str) -> Any:
    """A TOML value; a bare word is a string, as shells eat quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
