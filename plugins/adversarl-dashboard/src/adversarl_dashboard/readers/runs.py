"""Run folders: which there are, what each is doing, and what it has come to."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from adversarl.runs import latest_checkpoint
from adversarl_dashboard.readers.episodes import Episodes
from adversarl_dashboard.readers.files import Kept, Tail, last_rows, number, parse_line, part, read_table, stamp

State = Literal["training", "evaluating", "finished", "stopped", "dead"]
DEPTH = 3
"""How far below the folder runs are looked for; those of a benchmark lie two below it."""
QUIET_S = 10.0
"""A run that is alive and has finished no episode for so long is evaluating [s]."""
RECENT = 100
"""Episodes behind the success that a list of runs shows."""


class Run:
    """One run folder, looked at from outside.

    Args:
        path: The folder.
        name: How it is called in lists.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.episodes = Episodes(path / "episodes.jsonl")
        self._kept, self._lock = Kept(), threading.Lock()
        self._calls, self._calls_usd = Tail(path / "claude.jsonl"), 0.0

    def _table(self, name: str) -> dict[str, Any]:
        path = self.path / name
        found: dict[str, Any] = self._kept.get(name, path, lambda: read_table(path))
        return found

    @property
    def recipe(self) -> dict[str, Any]:
        """``recipe.toml``; empty where there is none that can be read."""
        return self._table("recipe.toml")

    @property
    def summary(self) -> dict[str, Any]:
        """``summary.json``; empty before the end."""
        return self._table("summary.json")

    @property
    def evaluation(self) -> dict[str, Any]:
        """``evaluation.json``; empty before the first one."""
        return self._table("evaluation.json")

    def used(self, table: str) -> str:
        """The component that a table of the recipe names."""
        return str(part(self.recipe, table).get("suite" if table == "evaluation" else "use", ""))

    def last(self, journal: str, n: int) -> list[dict[str, Any]]:
        """The last rows of a journal, oldest first."""
        path = self.path / f"{journal}.jsonl"
        found: list[dict[str, Any]] = self._kept.get((journal, n), path, lambda: last_rows(path, n))
        return found

    @property
    def recent(self) -> tuple[int, int]:
        """Of the last episodes: (successes, how many)."""
        rows = self.last("episodes", RECENT)
        return sum(row.get("success") is True for row in rows), len(rows)

    @property
    def env_steps(self) -> int:
        """Environment steps so far, those of the warm start too."""
        rows = [*self.last("metrics", 1), *self.last("episodes", RECENT)[-1:]]
        return max((int(number(row.get("env_steps")) or 0) for row in rows), default=0)

    @property
    def total_steps(self) -> int | None:
        """Environment steps of all that the recipe asks for; None where it does not say."""
        total = number(part(self.recipe, "run").get("total_steps"))
        warm = number(part(self.recipe, "learner").get("warm_start_steps")) or 0
        return None if total is None else int(total + warm)

    @property
    def changed_at(self) -> float:
        """When a journal, an evaluation or the summary last changed [s since 1970]."""
        names = ("episodes.jsonl", "metrics.jsonl", "curriculum.jsonl", "evaluation.json", "summary.json", "lock")
        return max(stamp(self.path / name)[0] for name in names) / 1e9

    @property
    def costs(self) -> dict[str, float]:
        """Dollars by who asked for them; empty where nothing costs."""
        found: dict[str, float] = {}
        for row in self.last("metrics", 20):
            found |= {
                key: value for key, raw in row.items() if "cost_usd" in key and (value := number(raw)) is not None
            }
        with self._lock:
            anew, data = self._calls.read()
            answers = (parse_line(line) or {} for line in data.splitlines())
            usd = sum(number(row.get("cost_usd")) or 0.0 for row in answers)
            self._calls_usd = usd if anew else self._calls_usd + usd
        return found | ({"claude.jsonl": self._calls_usd} if self._calls_usd else {})

    @property
    def state(self) -> State:
        """What it is doing; see `state_of`."""
        return state_of(self.path)


def state_of(folder: Path, now: float | None = None) -> State:
    """What a run is doing.

    ``training`` and ``evaluating`` hold the folder's lock. Of the others, ``finished`` has a summary as new as its
    episodes; ``stopped`` has a checkpoint of all that it wrote; ``dead`` was ended between two checkpoints.

    Args:
        folder: The run folder.
        now: The time [s since 1970]; the clock's by default.
    """
    journals = [stamp(folder / f"{name}.jsonl")[0] for name in ("episodes", "metrics")]
    newest = max(journals) / 1e9
    if locked(folder / "lock"):
        quiet = (time.time() if now is None else now) - newest
        return "evaluating" if newest and quiet > QUIET_S else "training"
    summary = stamp(folder / "summary.json")
    if summary[1] and summary[0] / 1e9 >= newest and read_table(folder / "summary.json"):
        return "finished"
    return "stopped" if _saved(folder) else "dead"


def _saved(folder: Path) -> bool:
    """Whether the latest checkpoint knows every byte of the journals."""
    latest = latest_checkpoint(folder)
    lengths = part(read_table(latest / "meta.json"), "journals") if latest is not None else {}
    return bool(lengths) and all(stamp(folder / f"{name}.jsonl")[1] == size for name, size in lengths.items())


def locked(path: Path) -> bool:
    """Whether a process holds the lock of a run folder.

    The process that it names is looked for first, so that a lock that nobody holds is hardly ever touched: for a moment
    a test holds it itself.
    """
    try:
        owner = path.read_text(encoding="utf-8").strip()
        if not owner.isdigit():
            return False
        os.kill(int(owner), 0)
    except PermissionError:
        pass
    except (OSError, UnicodeDecodeError, OverflowError):
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def find_runs(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and folders of the runs in a folder, or of the one that it is itself."""
    if (folder / "recipe.toml").is_file():
        yield folder.name, folder
        return
    yield from _below(folder, folder, DEPTH)


def _below(root: Path, folder: Path, depth: int) -> Iterator[tuple[str, Path]]:
    try:
        inside = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return
    for path in map(Path, inside):
        if (path / "recipe.toml").is_file():
            yield path.relative_to(root).as_posix(), path
        elif depth > 1:
            yield from _below(root, path, depth - 1)


class Library:
    """The runs of a folder, each kept while it is there.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs: dict[Path, Run] = {}

    def runs(self) -> list[Run]:
        """All runs now; those that changed last come first."""
        found = dict(find_runs(self.folder))
        runs = {path: self._runs.get(path) or Run(path, name) for name, path in found.items()}
        self._runs = runs
        return sorted(runs.values(), key=lambda run: -run.changed_at)
