"""Pictures kept on disk as they are used, and used again instead of a stream.

A recording is a folder with one subfolder for each world, in the order in which the worlds of a run are made::

    run.json            which run it was made by
    world-0000/
        index.jsonl     a line for each picture that was used: where it lies, and what `Shown` says of it
        pictures.bin    PNGs, one after the other

A line is written when its picture has been, and one that was cut off is not read, so a process that dies loses at most
the picture it was writing. A run that is resumed cuts the recording back to its checkpoint and goes on.
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice
from adversarl.runs import read_json, read_rows, write_json, write_text
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.shelf import shelf_of
from adversarl_odyssey.sources import Shown, Source

Row = dict[str, Any]


class Recording(Source):
    """Keeps everything that another source shows.

    Args:
        source: Where the pictures come from; closed with this one.
        folder: The recording. What another run has kept there is not touched.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self._source, self._folder = source, folder
        self._shelf = shelf_of("record", folder)
        self._path = folder / f"world-{self._shelf.take():04d}"
        self._run = ""
        self._index: IO[str] | None = None
        self._pictures: IO[bytes] | None = None
        self._kept: dict[int, int] = {}
        self._count: dict[int, int] = defaultdict(int)
        self._last: dict[int, Row] = {}
        self._told: dict[int, str] = {}
        self._asked: dict[int, str] = {}
        self._closed = False

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """Passes it on."""
        self._asked[env] = scene
        self._source.begin(env, scene, restart=restart)

    def prompt(self, env: int, text: str) -> None:
        """Passes it on."""
        self._asked[env] = text
        self._source.prompt(env, text)

    def act(self, env: int, text: str) -> None:
        """Passes it on."""
        self._source.act(env, text)

    def start_from(self, env: int, picture: NDArray[np.uint8]) -> None:
        """Passes it on."""
        self._source.start_from(env, picture)

    def show(self, env: int, *, fresh: bool) -> Shown:
        """What the source shows, kept.

        Raises:
            OdysseyError: The folder holds the recording of another run, or cannot be written.
        """
        if self._index is None:
            self._open()
        shown = self._source.show(env, fresh=fresh)
        self.exhausted = self._source.exhausted
        self._keep(env, shown)
        return shown

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Passes it on; only the run that made a recording may change it."""
        self._run = "" if folder is None else str(folder.resolve())
        self._source.connect(notice, folder)
        self.exhausted = self._source.exhausted

    def scalars(self) -> dict[str, float]:
        """What the source measures."""
        return self._source.scalars()

    def position(self, env: int) -> dict[str, int]:
        """How many pictures an environment has used, and how many worlds there are."""
        return {"used": self._count[env], "worlds": self._shelf.made}

    def seek(self, env: int, position: dict[str, int]) -> None:
        """Cuts the recording back to a checkpoint of its run before anything is shown; later on it only grows."""
        if self._index is None:
            self._kept[env] = self._count[env] = position["used"]
            self._shelf.made = position["worlds"]

    def close(self) -> None:
        """Closes the source and the files."""
        if self._closed:
            return
        self._closed = True
        self._shelf.give_back()
        try:
            self._source.close()
        finally:
            for file in (self._index, self._pictures):
                if file is not None:
                    file.close()

    def _open(self) -> None:
        owner = self._folder / "run.json"
        index = self._path / "index.jsonl"
        try:
            if index.exists():
                self._demand_mine(owner)
            self._path.mkdir(parents=True, exist_ok=True)
            write_json(owner, {"run": self._run})
            rows = _cut(read_rows(index), self._kept) if index.exists() and self._kept else []
            write_text(index, "".join(json.dumps(row) + "\n" for row in rows))
            self._pictures = (self._path / "pictures.bin").open("ab")
            self._pictures.truncate(max((row["at"] + row["length"] for row in rows), default=0))
            self._pictures.seek(0, os.SEEK_END)
            self._index = index.open("a", encoding="utf-8")
        except OSError as error:
            advice = "Name another folder in [backend] record"
            raise OdysseyError(f"the recording {self._path} cannot be written: {error.strerror}", advice) from None

    def _demand_mine(self, owner: Path) -> None:
        known = read_json(owner)["run"] if owner.exists() else ""
        if not self._run or known != self._run:
            advice = "Name another one in [backend] record, or delete it"
            raise OdysseyError(f"the folder {self._folder} holds a recording already", advice)

    def _keep(self, env: int, shown: Shown) -> None:
        assert self._index is not None
        last = self._last.get(env)
        same = last is not None and last["number"] == shown.number
        place = {key: last[key] for key in ("at", "length")} if last and same else self._write(shown.picture)
        row: Row = {"env": env, "number": shown.number, **place, "age_s": shown.age_s}
        row |= {"latency_s": None if math.isnan(shown.latency_s) else shown.latency_s}
        row |= {"dropped": shown.dropped, "renewed": shown.renewed}
        asked = self._asked.get(env, "")
        if last is None or asked != self._told[env]:
            row["asked"] = self._told[env] = asked
        self._index.write(json.dumps(row) + "\n")
        self._index.flush()
        self._last[env] = row
        self._count[env] += 1

    def _write(self, picture: NDArray[np.uint8]) -> dict[str, int]:
        """Adds a picture; where it lies."""
        assert self._pictures is not None
        at = self._pictures.tell()
        encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        self._pictures.write(encoded)
        self._pictures.flush()
        return {"at": at, "length": len(encoded)}


def _cut(rows: list[Row], kept: dict[int, int]) -> list[Row]:
    """The first rows of every environment, as many as it keeps."""
    seen: dict[int, int] = defaultdict(int)
    left = []
    for row in rows:
        seen[row["env"]] += 1
        if seen[row["env"]] <= kept.get(row["env"], 0):
            left.append(row)
    return left


class Playback(Source):
    """Shows what a recording holds, in its order and whatever is asked for.

    Args:
        folder: The recording.
        size: Edge that its pictures must have [pixel]; None takes any.
    """

    def __init__(self, folder: Path, size: int | None = None) -> None:
        self._folder, self._size = folder, size
        if not folder.is_dir():
            raise self._error("is not there", "Make one with [backend] record")
        self._shelf = shelf_of("playback", folder)
        self._path = folder / f"world-{self._shelf.take():04d}"
        self._rows: dict[int, list[Row]] | None = None
        self._bytes: IO[bytes] | None = None
        self._next: dict[int, int] = defaultdict(int)
        self._decoded: dict[int, tuple[int, NDArray[np.uint8]]] = {}
        self._asked: dict[int, str] = {}
        self._notice: Notice | None = None
        self._strayed = self._closed = False

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """Takes note, to compare it with what was asked for in the recording."""
        del restart
        self._asked[env] = scene

    def prompt(self, env: int, text: str) -> None:
        """Takes note, to compare it with what was asked for in the recording."""
        self._asked[env] = text

    def show(self, env: int, *, fresh: bool) -> Shown:
        """The next picture of the recording.

        Raises:
            OdysseyError: There is none, or it has another size.
        """
        del fresh
        rows = self._load().get(env, [])
        used = self._next[env]
        if used >= len(rows):
            advice = "Ask for fewer steps, or record a longer run of the same recipe"
            raise self._error(f"ends after {used} pictures of environment {env} in {self._path.name}", advice)
        self._next[env] += 1
        row = rows[used]
        self._compare(env, used, row["asked"])
        late = math.nan if row["latency_s"] is None else row["latency_s"]
        return Shown(self._picture(env, row), row["number"], row["age_s"], late, row["dropped"], row["renewed"])

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Is told how to say that the run asks for something else than was recorded."""
        del folder
        self._notice = notice

    def position(self, env: int) -> dict[str, int]:
        """See `Recording.position`."""
        return {"used": self._next[env], "worlds": self._shelf.made}

    def seek(self, env: int, position: dict[str, int]) -> None:
        """Goes to a checkpoint before anything is shown; later on it goes on, as the recording did."""
        if self._rows is None:
            self._next[env] = position["used"]
            self._shelf.made = position["worlds"]

    def close(self) -> None:
        """Closes the file."""
        if self._closed:
            return
        self._closed = True
        self._shelf.give_back()
        if self._bytes is not None:
            self._bytes.close()

    def _load(self) -> dict[int, list[Row]]:
        if self._rows is None:
            try:
                rows = read_rows(self._path / "index.jsonl")
                self._bytes = (self._path / "pictures.bin").open("rb")
            except FileNotFoundError:
                problem = f"has nothing for a world that this run makes ({self._path.name})"
                raise self._error(problem, "Play it back with the recipe it was recorded with") from None
            self._rows = defaultdict(list)
            for row in rows:
                mine = self._rows[row["env"]]
                row.setdefault("asked", mine[-1]["asked"] if mine else "")
                mine.append(row)
        return self._rows

    def _picture(self, env: int, row: Row) -> NDArray[np.uint8]:
        at, known = row["at"], self._decoded.get(env)
        if known is None or known[0] != at:
            known = self._decoded[env] = at, self._decode(row)
        return known[1]

    def _decode(self, row: Row) -> NDArray[np.uint8]:
        assert self._bytes is not None
        self._bytes.seek(row["at"])
        data = np.frombuffer(self._bytes.read(row["length"]), np.uint8)
        found = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) == row["length"] else None
        if found is None:
            raise self._error(f"is damaged: {self._path / 'pictures.bin'}", "Record it again")
        edge = found.shape[0]
        if self._size not in (None, edge):
            advice = f"Set backend.image_size = {edge}"
            raise self._error(f"has pictures of {edge} x {edge} pixels, not of {self._size} x {self._size}", advice)
        return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def _compare(self, env: int, used: int, recorded: str) -> None:
        asked = self._asked.get(env, "")
        if asked != recorded and not self._strayed and self._notice is not None:
            self._strayed = True
            self._notice(
                f"from picture {used} of environment {env} on, the run asks for other things than the recording "
                f"shows: '{asked}' instead of '{recorded}'"
            )

    def _error(self, problem: str, advice: str) -> OdysseyError:
        return OdysseyError(f"the recording {self._folder} {problem}", advice)
