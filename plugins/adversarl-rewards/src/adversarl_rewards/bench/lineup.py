"""Which detectors are measured, and why others cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adversarl.assembly import make_detector
from adversarl.detection import FrameDetector
from adversarl.errors import AdversarlError, UnknownComponent
from adversarl.overrides import TABLES, apply_overrides
from adversarl.plugins import Plugins
from adversarl.recipe import Choice, Recipe, choose, load_recipe, parse_recipe
from adversarl.registry import Component
from adversarl_rewards.bench.errors import NoFrameDetector


@dataclass(frozen=True, slots=True)
class Entrant:
    """A detector to be measured, its name in the results, and what it is."""

    label: str
    choice: Choice
    detector: FrameDetector

    def about(self) -> dict[str, Any]:
        """Component, package, version and keys; JSON-ready."""
        component, options = self.choice.component, self.choice.options
        return {
            "component": component.name,
            "distribution": f"{component.distribution} {component.version}".strip(),
            "options": options.model_dump(mode="json", exclude_none=True),
        }


@dataclass(slots=True)
class Lineup:
    """Who is measured.

    Attributes:
        entrants: Those who are.
        truths: Names of those that are the truth themselves.
        missing: Why others are not.
    """

    entrants: list[Entrant] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Closes every detector, whatever of them fails to."""
        with ExitStack() as stack:
            for entrant in self.entrants:
                stack.callback(entrant.detector.close)


def split_overrides(overrides: Sequence[str], labels: Sequence[str], plugins: Plugins) -> tuple[list[str], list[str]]:
    """Those of the recipe's tables, and those of detectors.

    Raises:
        UnknownComponent: One is neither.
    """
    ours, theirs = list[str](), list[str]()
    known = [*labels, *plugins.registry.names("reward")]
    for override in overrides:
        first = override.partition("=")[0].partition(".")[0].strip()
        if first not in known and first not in ("run", *TABLES, "watch", "tracking"):
            raise UnknownComponent("reward", first, [*known, "backend"], f"--set {override}")
        (theirs if first in known else ours).append(override)
    return ours, theirs


def recipe_of(path: Path | None, backend: str, overrides: Sequence[str], plugins: Plugins) -> Recipe:
    """The recipe named, or else one of the backend with its defaults."""
    if path is not None:
        return load_recipe(path, plugins.registry, overrides)
    tables: dict[str, Any] = {"backend": {"use": backend}, "learner": {"use": "random-search"}}
    apply_overrides(tables, overrides, plugins.registry)
    return parse_recipe(tables, plugins.registry, "--backend")


def names_of(asked: Sequence[str]) -> dict[str, str]:
    """Components by label, from ``NAME`` or ``LABEL=NAME``."""
    pairs = (one.partition("=") for one in asked)
    return {label: name or label for label, _, name in pairs}


def line_up(asked: Sequence[str], overrides: Sequence[str], recipe: Recipe, plugins: Plugins) -> Lineup:
    """Makes the detectors.

    Args:
        asked: Names or ``LABEL=NAME``; none means all that are installed and usable.
        overrides: ``LABEL.key=value`` strings.
        recipe: Its ``[reward]`` and ``[watch.monitors.LABEL]`` give keys.
        plugins: What is installed.

    Raises:
        AdversarlError: One that was asked for by name cannot be used.
    """
    lineup = Lineup()
    named = names_of(asked) or {name: name for name in plugins.registry.names("reward")}
    try:
        for label, name in named.items():
            try:
                _enter(lineup, label, _table(label, name, overrides, recipe), recipe, plugins)
            except AdversarlError as error:
                if asked:
                    raise
                lineup.missing[label] = str(error)
    except BaseException:
        lineup.close()
        raise
    return lineup


def _enter(lineup: Lineup, label: str, table: dict[str, Any], recipe: Recipe, plugins: Plugins) -> None:
    component = plugins.registry.get("reward", table["use"], "--detector")
    cls = component.load()
    if cls.truth:
        lineup.truths.append(label)
        return
    if not issubclass(cls, FrameDetector):
        raise NoFrameDetector(component.name, filter(None, map(_measurable, _rewards(plugins))))
    choice = choose("reward", table, plugins.registry, "--set", label)
    lineup.entrants.append(Entrant(label, choice, make_detector(choice, recipe, plugins, label)))  # type: ignore[arg-type]


def _rewards(plugins: Plugins) -> list[Component]:
    return [component for component in plugins.registry.all() if component.kind == "reward"]


def _measurable(component: Component) -> str:
    try:
        return component.name if issubclass(component.load(), FrameDetector) else ""
    except AdversarlError:
        return ""


def _table(label: str, name: str, overrides: Sequence[str], recipe: Recipe) -> dict[str, Any]:
    """A detector's keys: those of the recipe's monitor of that label, or else of its reward, and what is set."""
    found = recipe.monitors.get(label, recipe["reward"])
    same = found.component.name == name
    table = found.options.model_dump(mode="json", exclude_unset=True) if same else {}
    tables: dict[str, Any] = {label: table}
    apply_overrides(tables, [one for one in overrides if one.partition(".")[0].strip() == label])
    return {**tables[label], "use": name}
