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

from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice
from adversarl.runs import read_json, write_json
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.reels import INDEX, PICTURES, Reader, Writer
from adversarl_odyssey.shelf import shelf_of
from adversarl_odyssey.sources import Shown, Source


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
        self._writer: Writer | None = None
        self._kept: dict[int, int] = {}
        self._used: dict[int, int] = defaultdict(int)
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
        self._writer = writer = self._writer or self._open()
        shown = self._source.show(env, fresh=fresh)
        self.exhausted = self._source.exhausted
        writer.add(env, shown, self._asked.get(env, ""))
        self._used[env] += 1
        return shown

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Passes it on; only the run that made a recording may change it."""
        self._run = "" if folder is None else str(folder.resolve())
        self._source.connect(notice, folder)
        self.exhausted = self._source.exhausted

    def scalars(self) -> dict[str, float]:
        """What the source measures."""
        return self._source.scalars()

    def paid(self, seconds: float, why: str) -> None:
        """Counts it too."""
        self._source.paid(seconds, why)

    def position(self, env: int) -> dict[str, int]:
        """How many pictures an environment has used, and how many worlds there are."""
        return {"used": self._used[env], "worlds": self._shelf.made}

    def seek(self, env: int, position: dict[str, int]) -> None:
        """Cuts the recording back to a checkpoint of its run before anything is shown; later on it only grows."""
        if self._writer is None:
            self._kept[env] = self._used[env] = position["used"]
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
            if self._writer is not None:
                self._writer.close()

    def _open(self) -> Writer:
        owner = self._folder / "run.json"
        try:
            if (self._path / INDEX).exists():
                self._demand_mine(owner)
            self._path.mkdir(parents=True, exist_ok=True)
            write_json(owner, {"run": self._run})
            return Writer(self._path, self._kept)
        except OSError as error:
            advice = "Name another folder in [backend] record"
            raise OdysseyError(f"the recording {self._path} cannot be written: {error.strerror}", advice) from None

    def _demand_mine(self, owner: Path) -> None:
        known = read_json(owner)["run"] if owner.exists() else ""
        if not self._run or known != self._run:
            advice = "Name another one in [backend] record, or delete it"
            raise OdysseyError(f"the folder {self._folder} holds a recording already", advice)


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
        self._reader: Reader | None = None
        self._used: dict[int, int] = defaultdict(int)
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
        self._reader = reader = self._reader or self._open()
        rows, used = reader.rows.get(env, []), self._used[env]
        if used >= len(rows):
            advice = "Ask for fewer steps, or record a longer run of the same recipe"
            raise self._error(f"ends after {used} pictures of environment {env} in {self._path.name}", advice)
        self._used[env] += 1
        self._compare(env, rows[used]["asked"])
        try:
            shown = reader.shown(rows[used])
        except ValueError as error:
            raise self._error(f"is damaged in {self._path.name}/{PICTURES}: {error}", "Record it again") from None
        edge = shown.picture.shape[0]
        if self._size not in (None, edge):
            advice = f"Set backend.image_size = {edge}"
            raise self._error(f"has pictures of {edge} x {edge} pixels, not of {self._size} x {self._size}", advice)
        return shown

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Is told how to say that the run asks for something else than was recorded."""
        del folder
        self._notice = notice

    def position(self, env: int) -> dict[str, int]:
        """See `Recording.position`."""
        return {"used": self._used[env], "worlds": self._shelf.made}

    def seek(self, env: int, position: dict[str, int]) -> None:
        """Goes to a checkpoint before anything is shown; later on it goes on, as the recording did."""
        if self._reader is None:
            self._used[env] = position["used"]
            self._shelf.made = position["worlds"]

    def close(self) -> None:
        """Closes the file."""
        if self._closed:
            return
        self._closed = True
        self._shelf.give_back()
        if self._reader is not None:
            self._reader.close()

    def _open(self) -> Reader:
        try:
            return Reader(self._path)
        except FileNotFoundError:
            problem = f"has nothing for a world that this run makes ({self._path.name})"
            raise self._error(problem, "Play it back with the recipe it was recorded with") from None

    def _compare(self, env: int, recorded: str) -> None:
        asked = self._asked.get(env, "")
        if asked != recorded and not self._strayed and self._notice is not None:
            self._strayed = True
            self._notice(
                f"from picture {self._used[env]} of environment {env} on, the run asks for other things than its "
                f"recording shows: '{asked}' instead of '{recorded}'"
            )

    def _error(self, problem: str, advice: str) -> OdysseyError:
        return OdysseyError(f"the recording {self._folder} {problem}", advice)
