"""The run folder: everything is written as it happens, and a process that dies loses nothing that counts.

Journals (``episodes.jsonl``, ``curriculum.jsonl``, ``metrics.jsonl``) are appended to as things happen. A checkpoint
remembers how long each journal was; resuming cuts them back to that length and goes on from the same state, so
that no row is lost or doubled.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from adversarl.errors import RunFolderError
from adversarl.hooks import hookimpl
from adversarl.schedule import Entry
from adversarl.types import CellResult, Episode, FailureReport

JOURNALS = ("episodes", "curriculum", "metrics", "reports", "notices")
KEPT_CHECKPOINTS = 2


class RunFolder:
    """An open run folder; it listens to the lifecycle hooks and writes what they say.

    Args:
        path: The folder, made if absent.
        resume: Whether to go on from its latest checkpoint; without it the folder must be new or empty.

    Raises:
        RunFolderError: The folder is in use, holds another run, or has nothing to resume.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        if resume and not self._used():
            raise RunFolderError(path, "there is no run to resume. Start it without --resume")
        self._lock = self._acquire()
        if self._used() and not resume:
            self._lock.close()
            raise RunFolderError(path, "holds a run already. Go on with --resume, or choose another folder with --out")
        self._files: dict[str, IO[str]] = {}
        self._cut_journals()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        self._lock.close()

    def _used(self) -> bool:
        return (self.path / "recipe.toml").exists()

    def _acquire(self) -> IO[str]:
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            problem = f"cannot be written: {error.strerror}. Choose another folder with --out"
            raise RunFolderError(self.path, problem) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "another process"
            lock.close()
            raise RunFolderError(
                self.path, f"is in use by process {owner}. Wait for it, stop it, or choose another folder with --out"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def latest(self) -> Path | None:
        """The newest complete checkpoint, see `latest_checkpoint`."""
        return latest_checkpoint(self.path)

    def _cut_journals(self) -> None:
        """Cuts the journals back to what the latest checkpoint knows, and opens them."""
        latest = self.latest()
        lengths = read_json(latest / "meta.json")["journals"] if latest else {}
        for name in JOURNALS:
            file = (self.path / f"{name}.jsonl").open("a", encoding="utf-8")
            file.truncate(lengths.get(name, 0))
            self._files[name] = file
        for unfinished in self.checkpoints.glob(".*"):
            shutil.rmtree(unfinished)

    def adopt(self, source: Path, lengths: Mapping[str, int], *, same_evaluation: bool) -> None:
        """Takes over the beginning of another run's journals, and its evaluation of the warm start if that is the same.

        Args:
            source: The other run's folder.
            lengths: How much of each journal [byte].
            same_evaluation: Whether both runs are evaluated alike.
        """
        for name, length in lengths.items():
            self._files[name].write((source / f"{name}.jsonl").read_bytes()[:length].decode())
        made = source / "evaluation.json"
        if same_evaluation and made.exists() and "warm_start" in (known := read_json(made)):
            write_json(self.path / "evaluation.json", {"warm_start": known["warm_start"]})

    def save_checkpoint(
        self, step: int, loop: Mapping[str, Any], meta: Mapping[str, Any], save: Callable[[Path], None]
    ) -> None:
        """Writes a checkpoint under a temporary name and renames it when it is complete.

        Args:
            step: Environment steps of training.
            loop: `ClosedLoop.snapshot`.
            meta: What the run needs to go on, JSON-ready.
            save: Writes the learner into a folder.
        """
        final = self.checkpoints / f"step-{step:012d}"
        draft = self.checkpoints / f".{final.name}"
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "learner").mkdir(parents=True)
        save(draft / "learner")
        (draft / "loop.pkl").write_bytes(pickle.dumps(dict(loop)))
        lengths = {}
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            lengths[name] = file.tell()
        write_json(draft / "meta.json", {**meta, "journals": lengths})
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        for old in sorted(self.checkpoints.glob("step-*"))[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old)

    def rows(self, journal: str) -> list[dict[str, Any]]:
        """All rows of a journal."""
        self._files[journal].flush()
        return read_rows(self.path / f"{journal}.jsonl")

    def write_parquet(self) -> None:
        """Writes ``episodes.parquet`` from the journal, for pandas and polars; nested fields become JSON text."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = self.rows("episodes")
        for row in rows:
            row |= {name: json.dumps(row[name]) for name in ("perturbations", "verdicts")}
        draft = self.path / ".episodes.parquet"
        pq.write_table(pa.Table.from_pylist(rows), draft)
        draft.replace(self.path / "episodes.parquet")

    def _append(self, journal: str, row: Mapping[str, Any]) -> None:
        file = self._files[journal]
        file.write(json.dumps(row) + "\n")
        file.flush()

    @hookimpl
    def adversarl_episode_finished(self, episode: Episode) -> None:
        """Writes the episode's row."""
        self._append("episodes", episode.to_json())

    @hookimpl
    def adversarl_prompt_in_force(self, env: int, episode: int, env_steps: int, step: int | None, entry: Entry) -> None:
        """Writes what was asked, why, what it was grounded to and when it took effect."""
        self._append("curriculum", _row(env, episode, env_steps, entry) | {"took_effect": step})

    @hookimpl
    def adversarl_prompt_refused(self, env: int, episode: int, env_steps: int, entry: Entry, player: str) -> None:
        """Writes what nobody could solve, and who tried."""
        row = _row(env, episode, env_steps, entry)
        self._append("curriculum", row | {"took_effect": None, "refused": f"the {player} does not solve it"})

    @hookimpl
    def adversarl_notice(self, source: str, text: str) -> None:
        """Writes what the user should know."""
        self._append("notices", {"source": source, "text": text})

    @hookimpl
    def adversarl_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes a row of scalars."""
        self._append("metrics", {"env_steps": step, **scalars})

    @hookimpl
    def adversarl_report(self, env_steps: int, report: FailureReport) -> None:
        """Writes a failure report."""
        self._append("reports", {"env_steps": env_steps, **asdict(report)})

    @hookimpl
    def adversarl_evaluation_finished(self, step: int, name: str, results: list[CellResult]) -> None:
        """Adds an evaluation to ``evaluation.json``."""
        known = self._evaluations()
        write_json(
            self.path / "evaluation.json",
            known | {name: {"env_steps": step, "cells": [asdict(cell) for cell in results]}},
        )

    def evaluated(self, name: str) -> bool:
        """Whether there is an evaluation of this name."""
        return name in self._evaluations()

    def cut_evaluations(self, step: int) -> None:
        """Forgets evaluations along the way that were made after a step of training, since they will be repeated."""
        known = self._evaluations()
        kept = {n: one for n, one in known.items() if not n.startswith("step-") or one["env_steps"] <= step}
        if kept != known:
            write_json(self.path / "evaluation.json", kept)

    def _evaluations(self) -> dict[str, Any]:
        path = self.path / "evaluation.json"
        return read_json(path) if path.exists() else {}

    def evaluation(self, name: str, step: int) -> list[CellResult] | None:
        """An evaluation made earlier at the same step, or None."""
        known = self._evaluations().get(name)
        return [_cell_result(cell) for cell in known["cells"]] if known and known["env_steps"] == step else None


def _row(env: int, episode: int, env_steps: int, entry: Entry) -> dict[str, Any]:
    asked = entry.proposal
    row: dict[str, Any] = {"env_steps": env_steps, "episode": episode, "env": env, "text": asked.text, "why": asked.why}
    row |= {"onset": asked.onset, "duration": asked.duration, "restore": entry.restore}
    row |= {"seed": asked.seed} if asked.seed is not None else {}
    return row | {"perturbations": [asdict(p) for p in entry.perturbations], "not_understood": entry.not_understood}


def _cell_result(cell: dict[str, Any]) -> CellResult:
    return CellResult(
        cell["axis"], cell["intensity"], tuple(cell["seeds"]), tuple(cell["success"]), tuple(cell["total_reward"])
    )


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint of a run folder; one that was being written has another name."""
    return max((folder / "checkpoints").glob("step-*"), default=None)


def read_json(path: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Reads a journal; a last line cut off by a crash is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def write_json(path: Path, content: Any) -> None:
    """Writes JSON, see `write_text`."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file under a temporary name and renames it, so that it is never there in part."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
