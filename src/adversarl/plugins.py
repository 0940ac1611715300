"""Plugin loading: sorted, guarded, and honest about what is broken."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from adversarl import hooks
from adversarl.errors import AdversarlError, DuplicateName, PluginFileError
from adversarl.registry import Broken, Component, Registrar, Registry

GROUP = "adversarl"


@dataclass(slots=True)
class Plugins:
    """Everything that is installed: the plugin manager and the registry of components."""

    manager: pluggy.PluginManager
    registry: Registry = field(default_factory=Registry)


def build_plugin_manager(files: Iterable[Path] = ()) -> Plugins:
    """Loads every installed plugin and the given one-file plugins.

    An installed plugin that fails is recorded in ``registry.broken`` and skipped, because one bad package must not
    take the command line down; pluggy's own `load_setuptools_entrypoints` would let it.

    Raises:
        PluginFileError: A file given explicitly cannot be loaded.
    """
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    plugins = Plugins(manager)
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        name = entry.dist.name if entry.dist else entry.name
        version = entry.dist.version if entry.dist else ""
        try:
            free = manager.get_plugin(entry.name) is None  # entry points of two packages may have one name
            _join(plugins, entry.load(), entry.name if free else f"{name}:{entry.name}", name, version)
        except Exception as error:
            plugins.registry.broken.append(Broken(entry.name, name, version, _cause(error)))
    for path in files:
        _join_file(plugins, Path(path))
    return plugins


def _join(plugins: Plugins, module: ModuleType, name: str, distribution: str, version: str) -> None:
    """Registers one plugin completely or not at all."""
    manager = plugins.manager
    manager.register(module, name)
    try:
        manager.check_pending()  # a misspelt hook would be ignored silently
        components: list[Component] = []
        registrar = Registrar(components.append, distribution, version)
        for implementation in manager.hook.adversarl_register.get_hookimpls():
            if implementation.plugin is module:
                implementation.function(registrar)
    except Exception:
        manager.unregister(module)
        raise
    _add_all(plugins, components, name, distribution, version)


def _add_all(plugins: Plugins, components: list[Component], name: str, distribution: str, version: str) -> None:
    """Adds components; a name that is taken leaves both unusable until one distribution goes."""
    for component in components:
        try:
            plugins.registry.add(component)
        except DuplicateName as error:
            plugins.registry.broken.append(Broken(name, distribution, version, str(error)))


def _join_file(plugins: Plugins, path: Path) -> None:
    """Loads a one-file plugin; its components name their classes as ``f"{__name__}:Class"``."""
    if not path.is_file():
        raise PluginFileError(path, "there is no such file. --plugin takes the path of a Python file")
    name = f"adversarl_file_{path.stem.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginFileError(path, "it is not a Python file. --plugin takes the path of a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        _join(plugins, module, name, str(path), "")
    except Exception as error:
        del sys.modules[name]
        raise PluginFileError(path, f"the plugin fails to load: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    """One line that says what went wrong."""
    text = " ".join(str(error).split())
    return text if isinstance(error, AdversarlError) else f"{type(error).__name__}: {text}"
