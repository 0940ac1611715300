"""A bank: videos of the world model, kept under the hash of the script that made them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any, Literal

from adversarl.runs import read_json, write_json
from adversarl_odyssey.errors import OdysseyError

Status = Literal["wanted", "sending", "running", "done", "failed"]
VERSION = 1


@dataclass(frozen=True, slots=True)
class Script:
    """What a video shows.

    Attributes:
        prompt: The complete description of the world that it begins in.
        seconds: Its length [s].
        then: What is asked for a second later, such as the task; empty for nothing.
        portrait: Whether it is upright.
    """

    prompt: str
    seconds: float = 10.0
    then: str = ""
    portrait: bool = False

    def entries(self) -> list[dict[str, Any]]:
        """The script as the service takes it; times in milliseconds."""
        start: dict[str, Any] = {"timestamp_ms": 0, "start": {"prompt": self.prompt}}
        then = [{"timestamp_ms": 1000, "interact": {"prompt": self.then}}] if self.then else []
        return [start, *then, {"timestamp_ms": round(1000 * self.seconds), "end": {}}]

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical script and of the orientation, in hex; it depends on no SDK."""
        content = {"script": self.entries(), "portrait": self.portrait}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a bank knows of one video.

    Attributes:
        script: What it shows.
        status: ``wanted``, ``sending`` (the service is asked now), ``running`` (it has a job), ``done`` or ``failed``.
        job_id: The service's name of its latest job.
        attempts: Jobs asked for so far.
        error: The service's words about the latest failure.
        frames: Pictures in the file.
        duration_s: Its length as decoded [s].
        width: Of a picture [pixel].
        height: Of a picture [pixel].
        cost_usd: What all its jobs should have cost [USD].
    """

    script: Script
    status: Status = "wanted"
    job_id: str | None = None
    attempts: int = 0
    error: str | None = None
    frames: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    cost_usd: float = 0.0


class Bank:
    """A folder of videos with a manifest; reading needs no lock and no network.

    Layout: ``manifest.json``, ``lock``, and for each video ``HASH/script.json`` and ``HASH/video.mp4``. The manifest
    is replaced as a whole whenever something changes, so that a process that dies leaves what it knew.

    Args:
        folder: Made by the first change if absent.

    Raises:
        OdysseyError: The manifest cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.levels: tuple[float, ...] = ()
        """Intensities that its videos were made for; other ones are rounded to them."""
        self.entries: dict[str, Entry] = {}
        self._by_prompt: dict[tuple[str, bool], str] = {}
        self._read()

    def _read(self) -> None:
        path = self.folder / "manifest.json"
        self.entries.clear()
        self._by_prompt.clear()
        if not path.exists():
            return
        try:
            content = read_json(path)
            if content["version"] != VERSION:
                raise ValueError(f"it has version {content['version']}, this package reads {VERSION}")
            self.levels = tuple(float(level) for level in content["levels"])
            for name, row in content["videos"].items():
                self._keep(name, _entry(row))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            advice = "Bring it back from a copy, or remove it and make the bank again"
            raise OdysseyError(f"the bank's {path} cannot be read: {error}", advice) from None

    def _keep(self, name: str, entry: Entry) -> None:
        self.entries[name] = entry
        key = (entry.script.prompt, entry.script.portrait)
        if entry.status == "done" and not entry.script.then:
            self._by_prompt[key] = name
        elif self._by_prompt.get(key) == name:
            del self._by_prompt[key]

    def put(self, entry: Entry) -> None:
        """Adds or replaces an entry and writes the manifest; only under `locked`."""
        self._keep(entry.script.hash, entry)
        self.write()

    def add(self, script: Script) -> Entry:
        """The entry of a script, made if there is none, and its folder with ``script.json``; only under `locked`."""
        name = script.hash
        folder = self.folder / name
        if not (folder / "script.json").exists():
            with self.writing():
                folder.mkdir(parents=True, exist_ok=True)
                write_json(folder / "script.json", {"script": script.entries(), "portrait": script.portrait})
        if name not in self.entries:
            self._keep(name, Entry(script))
        return self.entries[name]

    def write(self) -> None:
        """Writes the manifest; only under `locked`."""
        videos = {name: asdict(entry) for name, entry in self.entries.items()}
        content = {"version": VERSION, "levels": list(self.levels), "videos": videos}
        with self.writing():
            write_json(self.folder / "manifest.json", content)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around what changes files.

        Raises:
            OdysseyError: They cannot be written, since the disk is full, say.
        """
        try:
            yield
        except OSError as error:
            problem = f"the bank {self.folder} cannot be written: {error.strerror or error}"
            advice = "Make room or choose another folder with --out; what is paid for is not paid again"
            raise OdysseyError(problem, advice) from error

    def levels_with(self, more: Iterable[float]) -> tuple[float, ...]:
        """Its levels and more of them; worlds round to all of them."""
        return tuple(sorted({*self.levels, *more}))

    def video(self, entry: Entry) -> Path:
        """Where an entry's video lies."""
        return self.folder / entry.script.hash / "video.mp4"

    def has(self, script: Script) -> bool:
        """Whether the video of a script is there."""
        entry = self.entries.get(script.hash)
        return entry is not None and entry.status == "done" and self.video(entry).exists()

    def find(self, prompt: str, *, portrait: bool = False) -> Path | None:
        """The video that begins in a world, or None."""
        name = self._by_prompt.get((prompt, portrait))
        path = self.folder / (name or "") / "video.mp4"
        return path if path.exists() else None

    @contextmanager
    def locked(self, in_use: Callable[[str], None] | None = None) -> Iterator[None]:
        """Keeps others from changing the bank, and reads what they changed before.

        Args:
            in_use: Told what has to be waited for, where others are at it; None for not waiting.

        Raises:
            OdysseyError: Others are at it and are not waited for, or the folder cannot be written.
        """
        lock = self._acquire(in_use)
        try:
            self._read()
            yield
        finally:
            lock.close()

    def _acquire(self, in_use: Callable[[str], None] | None) -> IO[str]:
        with self.writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a+")
        try:
            self._take(lock, in_use)
            with self.writing():
                lock.truncate(0)
                lock.write(str(os.getpid()))
                lock.flush()
        except BaseException:
            with suppress(OSError):  # what could not be written is tried again
                lock.close()
            raise
        return lock

    def _take(self, lock: IO[str], in_use: Callable[[str], None] | None) -> None:
        try:
            with self.writing():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OdysseyError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
        lock.seek(0)
        problem = f"the bank {self.folder} is in use by process {lock.read().strip() or 'that is not known'}"
        if in_use is None:
            raise OdysseyError(problem, "Wait for it, stop it, or choose another folder with --out")
        in_use(problem)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _entry(row: Mapping[str, Any]) -> Entry:
    known = {field.name for field in fields(Entry)}
    return Entry(**{**{k: v for k, v in row.items() if k in known}, "script": Script(**row["script"])})


def retried(entry: Entry) -> Entry:
    """The entry as it was before its first job, but for what that has cost."""
    return replace(entry, status="wanted", job_id=None, attempts=0, error=None)
