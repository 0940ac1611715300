"""Files that another process is writing, or left half-written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EDGE = 64
"""So many bytes before the place where reading stopped have to be the same, or the file was cut and grew again."""


class Tail:
    """The complete lines that a growing file got since the last look.

    It is read so::

        anew, data = tail.read()     # anew: forget what was read before, the file was cut

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """Where the next look begins [bytes]."""
        self._edge = b""

    def read(self) -> tuple[bool, bytes]:
        """Whether the file began anew, and its new complete lines."""
        try:
            with self.path.open("rb") as file:
                anew = self._cut(file.seek(0, 2), file)
                if anew:
                    self.offset, self._edge = 0, b""
                file.seek(self.offset)
                data = file.read()
        except OSError:
            anew = self.offset > 0
            self.offset, self._edge = 0, b""
            return anew, b""
        data = data[: data.rfind(b"\n") + 1]
        self.offset += len(data)
        self._edge = (self._edge + data)[-EDGE:] if len(data) < EDGE else data[-EDGE:]
        return anew, data

    def _cut(self, size: int, file: Any) -> bool:
        if size < self.offset:
            return True
        file.seek(self.offset - len(self._edge))
        return bool(file.read(len(self._edge)) != self._edge)


def parse_line(line: bytes) -> dict[str, Any] | None:
    """A row of a journal; None where the line is no JSON object."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def last_rows(path: Path, n: int, reach: int = 1 << 18) -> list[dict[str, Any]]:
    """The last rows of a journal, oldest first, from its last `reach` bytes alone; empty where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - reach)
            file.seek(start)
            data = file.read()
    except OSError:
        return []
    lines = data[: data.rfind(b"\n") + 1].splitlines()
    rows: list[dict[str, Any]] = []
    for line in reversed(lines[1:] if start else lines):
        if len(rows) == n:
            break
        row = parse_line(line)
        if row is not None:
            rows.append(row)
    return rows[::-1]


def read_table(path: Path) -> dict[str, Any]:
    """A JSON or TOML file; empty where it is missing, cut off or no table."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does: (nanoseconds, bytes); zeros where it is missing."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


class Kept:
    """What was made of files, made again only when one of them has changed."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Any, Any]] = {}

    def get(self, key: Any, path: Path, make: Callable[[], Any]) -> Any:
        """What `make` gives, as long as `path` stays as it is."""
        now = stamp(path)
        known = self._known.get(key)
        if known is None or known[0] != now:
            known = self._known[key] = now, make()
        return known[1]


def rate(value: Any) -> float | None:
    """A rate to the tenth of a percent, None for what is no number."""
    known = number(value)
    return None if known is None else round(known, 3)


def number(value: Any) -> float | None:
    """A number as it stands, None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def part(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A table inside a table; empty where there is none."""
    inner = table.get(key)
    return inner if isinstance(inner, dict) else {}


def rows_of(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The tables in a list; empty where there is none."""
    rows = table.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
