"""``episodes.jsonl`` as columns: 10,000 rows take a tenth of a second, and later looks only what was appended."""

from __future__ import annotations

import re
import threading
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl_dashboard.readers.files import Tail, parse_line

ROW = re.compile(
    rb'\{"index": (\d+), "env": \d+, "seed": \d+, "env_steps": (\d+), "length": (\d+), "total_reward": [^,]+, '
    rb'"success": (t|f)\w+, "truncated": \w+, "clean": \w+, "phase": "(\w+)", "perturbations": \[(.).*\}\n'
)
"""A row as the core writes it: index, env steps, length, success, phase, and whether there are perturbations.

To parse all of it as JSON takes ten times as long."""


def _parsed(line: bytes) -> tuple[Any, ...] | None:
    """The same of a row with other keys, or in another order; None where it is none."""
    row = parse_line(line) or {}
    try:
        numbers = int(row["index"]), int(row["env_steps"]), int(row["length"])
        success = b"t" if row["success"] else b"f"
    except (KeyError, TypeError, ValueError):
        return None
    return *numbers, success, str(row.get("phase", "train")).encode(), b"{" if row.get("perturbations") else b"]"


class Episodes:
    """The finished episodes of a run.

    Args:
        path: ``episodes.jsonl``; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._at, self._index, self._steps, self._length = (array("q") for _ in range(4))
        self._success, self._nominal, self._training = bytearray(), bytearray(), bytearray()
        self.spoilt = 0
        """Lines that are no episodes, left out."""

    def refresh(self) -> None:
        """Reads what was appended since the last look."""
        with self._lock:
            anew, data = self._tail.read()
            if anew:
                self._clear()
            begin, at = self._tail.offset - len(data), 0
            found: list[tuple[Any, ...]] = []
            while at < len(data):
                match = ROW.match(data, at)
                end = data.index(b"\n", at) + 1 if match is None else match.end()
                values = _parsed(data[at:end]) if match is None else match.groups()
                if values is None:
                    self.spoilt += 1
                else:
                    found.append((begin + at, *values))
                at = end
            self._extend(found)

    def _extend(self, found: list[tuple[Any, ...]]) -> None:
        if not found:
            return
        at, index, steps, length, success, phase, first = zip(*found, strict=True)
        for column, values in ((self._at, at), (self._index, index), (self._steps, steps), (self._length, length)):
            column.extend(map(int, values))
        self._success.extend(one == b"t" for one in success)
        self._training.extend(one == b"train" for one in phase)
        self._nominal.extend(one == b"]" for one in first)

    def __len__(self) -> int:
        return len(self._at)

    @property
    def index(self) -> NDArray[np.int64]:
        """Numbers of the episodes within the run. Shape (n,)."""
        return np.array(self._index, dtype=np.int64)

    @property
    def env_steps(self) -> NDArray[np.int64]:
        """Environment steps of the run when each ended. Shape (n,)."""
        return np.array(self._steps, dtype=np.int64)

    @property
    def length(self) -> NDArray[np.int64]:
        """Their control steps. Shape (n,)."""
        return np.array(self._length, dtype=np.int64)

    @property
    def success(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        return np.array(self._success, dtype=bool)

    @property
    def nominal(self) -> NDArray[np.bool_]:
        """Which were not perturbed. Shape (n,)."""
        return np.array(self._nominal, dtype=bool)

    @property
    def training(self) -> NDArray[np.bool_]:
        """Which belong to training, not to the warm start. Shape (n,)."""
        return np.array(self._training, dtype=bool)

    def row(self, position: int) -> dict[str, Any] | None:
        """All that the journal says of one; None where the file was cut meanwhile.

        Args:
            position: Its place in the columns; negative ones count from the end.
        """
        try:
            with self._tail.path.open("rb") as file:
                file.seek(self._at[position])
                return parse_line(file.readline())
        except (OSError, IndexError):
            return None


def rolling(
    episodes: Episodes, which: NDArray[np.bool_], window: int = 100, points: int = 200
) -> tuple[list[int], list[float]]:
    """Success over the last episodes, while they were played.

    Args:
        episodes: Of a run.
        which: Those that count. Shape (n,).
        window: So many make a value; no value before there are a tenth of them.
        points: At most so many values, evenly spaced.

    Returns:
        Environment steps and success in [0, 1].
    """
    n = min(len(which), len(episodes))
    chosen = np.flatnonzero(which[:n])
    if chosen.size == 0:
        return [], []
    total = np.concatenate([[0], np.cumsum(episodes.success[chosen])])
    ends = np.arange(1, chosen.size + 1)
    begins = np.maximum(0, ends - window)
    values = (total[ends] - total[begins]) / (ends - begins)
    first = min(chosen.size, max(1, window // 10)) - 1
    shown = np.unique(np.linspace(first, chosen.size - 1, points).astype(int))
    return episodes.env_steps[chosen][shown].tolist(), values[shown].tolist()
