"""``adversarl plugins new``: a working, tested, installable plugin package from a template."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from adversarl.errors import AdversarlError, UnknownComponent
from adversarl.known import HOMES
from adversarl.registry import KINDS

SUMMARIES = {
    "backend": "A cart on a rail that must stop at a mark",
    "reward": "Distance between the red and the green thing in the picture",
    "failure": "Blames an axis where success under it is below nominal success beyond chance",
    "curriculum": "Goes through a list of prompts and practises what fails",
    "learner": "Hill climbing on a linear policy",
    "suite": "Every axis alone at its hardest",
    "tracker": "Scalars and episodes in a CSV file",
    "exporter": "A zip with the policy, a manifest and a test case",
}
"""What each template does until its author changes it."""


class ScaffoldError(AdversarlError):
    """A plugin package that cannot be written: what, why, and what to do."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")


def scaffold(name: str, kind: str, folder: Path) -> Path:
    """Writes the package ``adversarl-NAME`` into a folder.

    Args:
        name: Name of the component in recipes, in kebab case; a leading ``adversarl-`` is dropped.
        kind: One of `KINDS`.
        folder: Where to put the package, made if absent.

    Returns:
        The package's folder.

    Raises:
        ScaffoldError: The name cannot be used, or the package's folder is there already.
        UnknownComponent: There is no such kind.
    """
    if kind not in KINDS:
        raise UnknownComponent("kind", kind, KINDS)
    name = name.removeprefix("adversarl-")
    _check_name(name)
    package = folder / f"adversarl-{name}"
    if package.exists():
        raise ScaffoldError(str(package), "is there already, and nothing is overwritten. Choose another name or --out")
    words = _words(name, kind)
    for path, template in _templates(kind, words):
        target = package / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_fill(template.read_text(encoding="utf-8"), words), encoding="utf-8")
    (package / "src" / words["package"] / "py.typed").touch()
    return package


def _check_name(name: str) -> None:
    """Refuses names that PEP 508 or Python would not take, or that a first-party package has."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ScaffoldError(f"'{name}'", "is no plugin name. Write it like my-world: lower case, digits and hyphens")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module == "plugin":
        raise ScaffoldError(
            f"'{name}'", f"cannot be a plugin name, as {module}.py cannot be its module. Choose another"
        )
    if f"adversarl-{name}" in HOMES:
        raise ScaffoldError(f"'{name}'", f"is taken: adversarl-{name} is a package of the project. Choose another name")


def _words(name: str, kind: str) -> dict[str, str]:
    """What the templates' ``{{words}}`` stand for."""
    module = name.replace("-", "_")
    parts = name.split("-")
    if len(parts) == 1 or parts[-1] != kind:  # MyBackend for my-backend, but BackendBackend for backend
        parts.append(kind)
    return {
        "name": name,
        "kind": kind,
        "module": module,
        "package": f"adversarl_{module}",
        "distribution": f"adversarl-{name}",
        "Class": "".join(part.capitalize() for part in parts),
        "summary": SUMMARIES[kind],
    }


def _templates(kind: str, words: dict[str, str]) -> list[tuple[str, Traversable]]:
    """Paths in the package and their templates."""
    root = files("adversarl") / "templates"
    source = f"src/{words['package']}"
    return [
        ("pyproject.toml", root / "common" / "pyproject.toml.tmpl"),
        ("README.md", root / "common" / "README.md.tmpl"),
        ("recipe.toml", root / kind / "recipe.toml.tmpl"),
        (f"{source}/__init__.py", root / "common" / "__init__.py.tmpl"),
        (f"{source}/plugin.py", root / "common" / "plugin.py.tmpl"),
        (f"{source}/{words['module']}.py", root / kind / "module.py.tmpl"),
        (f"tests/test_{words['module']}.py", root / kind / "test_module.py.tmpl"),
    ]


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: words[match[1]], text)
