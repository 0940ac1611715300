"""The files of a recording: an index of lines, and pictures one after the other, written and read."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl.runs import read_rows, write_text
from adversarl_odyssey.sources import Shown

Row = dict[str, Any]
INDEX, PICTURES = "index.jsonl", "pictures.bin"


class Writer:
    """Writes what the environments of one world are shown.

    Args:
        folder: Where; made if absent.
        kept: How many pictures each environment keeps of those that are there already; all others go.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, folder: Path, kept: Mapping[int, int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        index = folder / INDEX
        rows = _first(read_rows(index), kept) if kept and index.exists() else []
        write_text(index, "".join(json.dumps(row) + "\n" for row in rows))
        self._pictures = (folder / PICTURES).open("ab")
        self._pictures.truncate(max((row["at"] + row["length"] for row in rows), default=0))
        self._pictures.seek(0, os.SEEK_END)
        self._index = index.open("a", encoding="utf-8")
        self._last: dict[int, Row] = {}
        self._asked: dict[int, str] = {}

    def add(self, env: int, shown: Shown, asked: str) -> None:
        """Writes a picture, unless it is the one of last time, and then its line.

        Args:
            env: Index of the environment.
            shown: What it was shown.
            asked: What the source had been asked for.
        """
        last = self._last.get(env)
        same = last is not None and last["number"] == shown.number
        place = {key: last[key] for key in ("at", "length")} if last and same else self._write(shown.picture)
        row: Row = {"env": env, "number": shown.number, **place, "age_s": shown.age_s}
        row |= {"latency_s": None if math.isnan(shown.latency_s) else shown.latency_s}
        row |= {"dropped": shown.dropped, "renewed": shown.renewed}
        if last is None or asked != self._asked[env]:
            row["asked"] = self._asked[env] = asked
        self._index.write(json.dumps(row) + "\n")
        self._index.flush()
        self._last[env] = row

    def close(self) -> None:
        """Closes the files."""
        self._index.close()
        self._pictures.close()

    def _write(self, picture: NDArray[np.uint8]) -> dict[str, int]:
        at = self._pictures.tell()
        encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        self._pictures.write(encoded)
        self._pictures.flush()
        return {"at": at, "length": len(encoded)}


class Reader:
    """Reads what the environments of one world were shown.

    Args:
        folder: What a `Writer` wrote; a last line that was cut off is left out.

    Raises:
        FileNotFoundError: It holds no recording.
    """

    def __init__(self, folder: Path) -> None:
        lines = read_rows(folder / INDEX)
        self.rows: dict[int, list[Row]] = defaultdict(list)
        """The lines of each environment, in order."""
        for row in lines:
            mine = self.rows[row["env"]]
            row.setdefault("asked", mine[-1]["asked"] if mine else "")
            mine.append(row)
        self._pictures = (folder / PICTURES).open("rb")
        self._decoded: dict[int, tuple[int, NDArray[np.uint8]]] = {}

    def shown(self, row: Row) -> Shown:
        """What a line stands for.

        Raises:
            ValueError: Its picture is damaged.
        """
        late = math.nan if row["latency_s"] is None else row["latency_s"]
        return Shown(self._picture(row), row["number"], row["age_s"], late, row["dropped"], row["renewed"])

    def close(self) -> None:
        """Closes the file."""
        self._pictures.close()

    def _picture(self, row: Row) -> NDArray[np.uint8]:
        env, at = row["env"], row["at"]
        known = self._decoded.get(env)
        if known is None or known[0] != at:
            known = self._decoded[env] = at, self._read(at, row["length"])
        return known[1]

    def _read(self, at: int, length: int) -> NDArray[np.uint8]:
        self._pictures.seek(at)
        data = np.frombuffer(self._pictures.read(length), np.uint8)
        found = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) == length else None
        if found is None:
            raise ValueError(f"no picture of {length} bytes at {at}")
        return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _first(rows: list[Row], kept: Mapping[int, int]) -> list[Row]:
    """The first rows of every environment, as many as it keeps."""
    seen: dict[int, int] = defaultdict(int)
    left = []
    for row in rows:
        seen[row["env"]] += 1
        if seen[row["env"]] <= kept.get(row["env"], 0):
            left.append(row)
    return left
