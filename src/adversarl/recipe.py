"""Recipes: TOML in, validated components out.

Every table's keys belong to the component that its ``use`` names; that component's pydantic options validate them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adversarl.errors import RecipeError, did_you_mean
from adversarl.overrides import TABLES, apply_overrides
from adversarl.registry import Component, Registry
from adversarl.watch import WatchOptions


class RunOptions(BaseModel):
    """The ``[run]`` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field("", pattern=r"^[\w.-]*$", description="Name of the run; the recipe's file name if empty.")
    seed: int = Field(0, ge=0, lt=2**31, description="Root seed of every generator.")
    total_steps: int = Field(
        100_000, ge=0, description="Environment steps of training, over all environments; 0 stops after the warm start."
    )
    evaluate_every: int = Field(
        0, ge=0, description="Environment steps between two evaluations while it trains; 0 evaluates at its ends alone."
    )
    checkpoint_every: int = Field(20_000, ge=1, description="Environment steps between two checkpoints.")


@dataclass(frozen=True, slots=True)
class Choice:
    """A component with its validated options."""

    component: Component
    options: BaseModel

    def changed(self, changes: Mapping[str, Any], source: str, table: str) -> Choice:
        """The same component with some keys changed; `source` and `table` are named where they do not fit."""
        options = _validate(type(self.options), {**_plain(self.options), **changes}, source, table)
        return replace(self, options=options)

    def make(self, *args: Any, **kwargs: Any) -> Any:
        """Instantiates the component with its options first."""
        return self.component.load()(self.options, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A validated recipe: the run's options, one `Choice` per table, the trackers, and the watch over the reward."""

    source: str
    run: RunOptions
    tables: Mapping[str, Choice]
    trackers: tuple[Choice, ...]
    watch: WatchOptions
    verdict: Choice | None
    monitors: Mapping[str, Choice]

    def __getitem__(self, table: str) -> Choice:
        """The choice made in a table, such as ``recipe["learner"]``."""
        return self.tables[table]

    def resolved(self) -> dict[str, Any]:
        """The recipe with every default written out; loading it gives the same recipe."""
        tables: dict[str, Any] = {"run": _plain(self.run)}
        for table, (_, key, _) in TABLES.items():
            tables[table] = _written(self.tables[table], key)
        tracking: dict[str, Any] = {"use": [choice.component.name for choice in self.trackers]}
        tracking |= {c.component.name: _plain(c.options) for c in self.trackers if _plain(c.options)}
        watch = _plain(self.watch)
        watch |= {} if self.verdict is None else {"verdict": _written(self.verdict)}
        watch |= {"monitors": {name: _written(choice) for name, choice in self.monitors.items()}}
        return tables | {"watch": watch, "tracking": tracking}

    def to_toml(self) -> str:
        """`resolved` as TOML."""
        return tomli_w.dumps(self.resolved())


def load_recipe(path: Path, registry: Registry, overrides: Iterable[str] = ()) -> Recipe:
    """Reads and validates a recipe.

    Args:
        path: A TOML file.
        registry: Where names are looked up.
        overrides: See `apply_overrides`.

    Raises:
        RecipeError: Naming file, table and key, and what to do.
        UnknownComponent: A name that nothing registered.
    """
    tables = read_toml(path)
    apply_overrides(tables, overrides, registry)
    return parse_recipe(tables, registry, path.name, default_name=path.stem)


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file; errors name the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(str(path), "", "there is no such file. Recipes of the project lie in recipes/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(str(path), "", f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(path.name, "", f"not valid TOML: {error}") from None


def parse_recipe(tables: dict[str, Any], registry: Registry, source: str, default_name: str = "run") -> Recipe:
    """Validates the tables of a recipe."""
    known = ["run", *TABLES, "watch", "tracking"]
    for name, table in tables.items():
        if name not in known:
            raise RecipeError(source, f"[{name}]", f"unknown table. {did_you_mean(name, known)}")
        if not isinstance(table, dict):
            raise RecipeError(source, name, f"must be a table, not {_kind(table)}. Write [{name}]")
    run = _validate(RunOptions, tables.get("run", {}), source, "run")
    run = run if run.name else _validate(RunOptions, {**_plain(run), "name": default_name}, source, "run")
    choices = {table: choose(table, tables.get(table, {}), registry, source) for table in TABLES}
    trackers = _trackers(tables.get("tracking", {}), registry, source)
    return Recipe(source, run, choices, trackers, *_watch(tables.get("watch", {}), registry, source))


def choose(kind_of: str, content: Mapping[str, Any], registry: Registry, source: str, table: str = "") -> Choice:
    """The component that a table names, with its options.

    Args:
        kind_of: Which of `TABLES` it is like.
        content: Its keys.
        registry: Where names are looked up.
        source: The file, for errors.
        table: Its name, where that is another one, such as ``curriculum.parts.0``.

    Raises:
        RecipeError: A key is wrong.
        UnknownComponent: Nothing registered the name.
    """
    kind, key, default = TABLES[kind_of]
    table = table or kind_of
    rest = dict(content)
    name = rest.pop(key, default)
    where = f"{source}: [{table}] {key}"
    if not isinstance(name, str):
        there = ", ".join(registry.names(kind)) or "none installed"
        problem = "is missing" if name is None else f"must be a name, not {_kind(name)}"
        raise RecipeError(source, f"[{table}] {key}", f'{problem}. Write {key} = "NAME"; there is: {there}')
    component = registry.get(kind, name, where)
    return Choice(component, _validate(component.load().Options, rest, source, table))


def _trackers(content: dict[str, Any], registry: Registry, source: str) -> tuple[Choice, ...]:
    rest = dict(content)
    names = rest.pop("use", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecipeError(source, "[tracking] use", 'must be a list of names, such as ["tensorboard"]')
    for name in rest:
        if name not in names:
            raise RecipeError(source, f"[tracking] {name}", f"unknown key. {did_you_mean(name, ['use', *names])}")
    choices = []
    for name in names:
        component = registry.get("tracker", name, f"{source}: [tracking] use")
        options = _validate(component.load().Options, rest.get(name, {}), source, f"tracking.{name}")
        choices.append(Choice(component, options))
    return tuple(choices)


def _watch(
    content: dict[str, Any], registry: Registry, source: str
) -> tuple[WatchOptions, Choice | None, dict[str, Choice]]:
    """The watch over the reward: its options, the test of success, and monitors, whose names may stand for ``use``."""
    rest = dict(content)
    verdict, monitors = rest.pop("verdict", None), rest.pop("monitors", {})
    for key, table in {"verdict": {} if verdict is None else verdict, "monitors": monitors}.items():
        if not isinstance(table, dict):
            raise RecipeError(source, f"[watch] {key}", f"must be a table, not {_kind(table)}. Write [watch.{key}]")
    chosen = {}
    for name, table in monitors.items():
        if not isinstance(table, dict):
            where = f"[watch.monitors] {name}"
            raise RecipeError(source, where, f"must be a table, not {_kind(table)}. Write [watch.monitors.{name}]")
        chosen[name] = choose("reward", {"use": name, **table}, registry, source, f"watch.monitors.{name}")
    test = None if verdict is None else choose("reward", verdict, registry, source, "watch.verdict")
    return _validate(WatchOptions, rest, source, "watch"), test, chosen


def _validate(model: type[BaseModel], values: dict[str, Any], source: str, table: str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [explain(model, detail) for detail in error.errors()]
        first, *more = [(f"[{table}] {key}", problem) for key, problem in lines]
        text = "".join(f"\n{source}: {where}: {problem}" for where, problem in more)
        raise RecipeError(source, first[0], first[1] + text) from None


def validate_options(model: type[BaseModel], overrides: Iterable[str], component: str) -> Any:
    """Options of one component from ``key=value`` strings, for commands that need no recipe."""
    tables: dict[str, Any] = {component: {}}
    apply_overrides(tables, [f"{component}.{override}" for override in overrides])
    return _validate(model, tables[component], "--set", component)


def explain(model: type[BaseModel], detail: Any) -> tuple[str, str]:
    """One pydantic error as (key, problem and what to do)."""
    owner, keys = _descend(model, detail["loc"])
    key = ".".join(keys)
    if detail["type"] == "extra_forbidden":
        return key, f"unknown key. {did_you_mean(keys[-1], owner.model_fields)}"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = message[:1].lower() + message[1:]
    if detail["type"] == "missing":
        return key, "is missing. It has no default"
    if detail["type"] == "value_error":
        return key, message
    field = owner.model_fields.get(keys[-1]) if keys else None
    meaning = f" ({field.description})" if field and field.description else ""
    return key, f"{message}, not {detail['input']!r}{meaning}"


def _descend(model: type[BaseModel], loc: Iterable[int | str]) -> tuple[type[BaseModel], list[str]]:
    """The options that a key belongs to, and where it stands, without the tags of unions, which no recipe writes."""
    owner, inside, keys = model, [model], list[str]()
    for part in loc:
        tagged = [m for m in inside if any(field.default == part for field in m.model_fields.values())]
        if len(inside) > 1 and tagged:
            inside = tagged
            continue
        keys.append(str(part))
        if inside and isinstance(part, str):
            owner = inside[0]
            inside = _models(owner.model_fields[part].annotation) if part in owner.model_fields else []
    return owner, keys


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The options models in an annotation such as ``tuple[A, ...]`` or ``A | B | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _written(choice: Choice, key: str = "use") -> dict[str, Any]:
    return {key: choice.component.name, **_plain(choice.options)}


def _plain(options: BaseModel) -> dict[str, Any]:
    return options.model_dump(mode="json", exclude_none=True)


def _kind(value: Any) -> str:
    return {
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
        list: "a list",
        dict: "a table",
    }.get(type(value), type(value).__name__)
