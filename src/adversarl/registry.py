"""The registry: which components exist, under which names, and where their classes are."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adversarl.errors import BrokenPlugin, DuplicateName, MissingExtra, UnknownComponent

KINDS = ("backend", "reward", "failure", "curriculum", "learner", "suite", "tracker", "exporter")


@dataclass(frozen=True, slots=True)
class Component:
    """A registered class that has not been imported yet.

    Attributes:
        kind: One of `KINDS`.
        name: What recipes write after ``use =``.
        target: ``module:Class``.
        summary: One line.
        distribution: The distribution that registered it, ``name version``.
        extra: How to install what it needs beyond its distribution, such as ``adversarl-sb3[onnx]``.
    """

    kind: str
    name: str
    target: str
    summary: str
    distribution: str
    version: str = ""
    extra: str = ""

    def load(self) -> Any:
        """Imports the class.

        Raises:
            MissingExtra: A package it needs is not installed.
            BrokenPlugin: The import fails otherwise.
        """
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name and error.name.partition(".")[0] == module.partition(".")[0]:
                raise BrokenPlugin(self.kind, self.name, self.distribution, str(error)) from error
            install = f"'{self.extra or self.distribution}'"
            raise MissingExtra(f"{self.kind} '{self.name}'", str(error.name), install) from error
        except (ImportError, AttributeError) as error:
            raise BrokenPlugin(self.kind, self.name, self.distribution, str(error)) from error


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be loaded: entry point, distribution, its version, and why."""

    plugin: str
    distribution: str
    version: str
    cause: str


class Registry:
    """Components by kind and name, with lookups that help."""

    def __init__(self) -> None:
        self._components: dict[tuple[str, str], Component] = {}
        self._duplicates: dict[tuple[str, str], DuplicateName] = {}
        self.broken: list[Broken] = []

    def add(self, component: Component) -> None:
        """Adds a component.

        Raises:
            DuplicateName: Another distribution already has that name.
        """
        key = (component.kind, component.name)
        if key in self._components:
            error = DuplicateName(*key, self._components[key].distribution, component.distribution)
            self._duplicates[key] = error
            raise error
        self._components[key] = component

    def all(self) -> list[Component]:
        """All components, by kind in the order of `KINDS`, then by name."""
        return sorted(self._components.values(), key=lambda c: (KINDS.index(c.kind), c.name))

    def names(self, kind: str) -> list[str]:
        """Names of one kind."""
        return [c.name for c in self.all() if c.kind == kind]

    def get(self, kind: str, name: str, where: str = "") -> Component:
        """Looks a component up.

        Args:
            kind: One of `KINDS`.
            name: Its name.
            where: What to put before the error, such as ``adaptive.toml: [curriculum] use``.

        Raises:
            UnknownComponent: No such kind or name; the message has the nearest one or the package that holds it.
            DuplicateName: Two distributions registered it.
            BrokenPlugin: The package that holds it is installed and fails to load.
        """
        if kind not in KINDS:
            raise UnknownComponent("kind", kind, KINDS, where)
        if (kind, name) in self._duplicates:
            raise self._duplicates[kind, name]
        if (kind, name) in self._components:
            return self._components[kind, name]
        from adversarl.known import home_of

        home = home_of(kind, name)
        for broken in self.broken:
            if broken.distribution == home:
                raise BrokenPlugin(kind, name, home, broken.cause)
        hint = f"It is in {home}. Run: pip install {home}" if home else ""
        raise UnknownComponent(kind, name, self.names(kind), where, hint)


def _method(kind: str) -> Callable[..., None]:
    def register(self: Registrar, name: str, target: str, summary: str, *, extra: str = "") -> None:
        self._add(Component(kind, name, target, summary, self.distribution, self.version, extra))

    register.__name__ = kind
    register.__doc__ = f"Registers a {kind}: its name, ``module:Class`` and a one-line summary."
    return register


class Registrar:
    """What a plugin's `adversarl_register(add)` is given; one method per kind."""

    backend = _method("backend")
    reward = _method("reward")
    failure = _method("failure")
    curriculum = _method("curriculum")
    learner = _method("learner")
    suite = _method("suite")
    tracker = _method("tracker")
    exporter = _method("exporter")

    def __init__(self, add: Callable[[Component], None], distribution: str, version: str) -> None:
        self._add = add
        self.distribution = distribution
        self.version = version
