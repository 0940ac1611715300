"""What a benchmark folder is about: it outlives every process, and only grows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from adversarl.errors import AdversarlError
from adversarl.runs import read_json, write_json
from adversarl_benchmark.conditions import Condition

FILE = "benchmark.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a benchmark.

    Attributes:
        name: Its name.
        suite: The held-out suite.
        episodes: Episodes per cell of the final evaluation.
        common: ``table.key=value`` changes of every recipe.
        conditions: What is compared.
        seeds: Training seeds of every condition.
        command: What was typed last.
        started: When it was begun, UTC.
    """

    name: str
    suite: str
    episodes: int
    common: tuple[str, ...]
    conditions: tuple[Condition, ...]
    seeds: tuple[int, ...]
    command: str
    started: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def merged(self, folder: Path) -> Plan:
        """This plan with the conditions and seeds that a folder has already; that is how a benchmark grows.

        Raises:
            AdversarlError: The folder's runs were trained or are judged in another way.
        """
        path = folder / FILE
        if not path.exists():
            return self
        old = _read(path)
        for key in ("suite", "common"):
            if getattr(old, key) != getattr(self, key):
                problem = f"was begun with {key} = {_shown(getattr(old, key))}, not {_shown(getattr(self, key))}"
                raise AdversarlError(f"{folder} {problem}. Give the same, or choose another folder with --out")
        mine = {one.name: one for one in self.conditions}
        for one in old.conditions:
            if one.name in mine and mine[one.name].overrides != one.overrides:
                raise AdversarlError(f"{folder} has another condition '{one.name}'. Rename the recipe's file")
        kept = [mine.pop(one.name, one) for one in old.conditions]
        seeds = tuple(sorted({*old.seeds, *self.seeds}))
        return replace(self, conditions=(*kept, *mine.values()), seeds=seeds, started=old.started)

    def write(self, folder: Path) -> None:
        """Keeps it in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, self.to_json())


def _read(path: Path) -> Plan:
    content = read_json(path)
    conditions = [Condition(**{**one, "overrides": tuple(one["overrides"])}) for one in content.pop("conditions")]
    content |= {key: tuple(content[key]) for key in ("common", "seeds")}
    return Plan(**content, conditions=tuple(conditions))


def _shown(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else " ".join(value) or "nothing"


def now() -> str:
    """UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
