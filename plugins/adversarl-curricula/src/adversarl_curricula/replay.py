"""The worlds of an earlier run, from its journal of prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from adversarl.errors import RecipeError
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.trials import Services
from adversarl.types import Episode, FailureReport, Grounding, Perturbation, Proposal
from adversarl_curricula.parts import NOBODY, Composite, PartTable

ANOTHER = "Name the curriculum.jsonl of a run folder"


class ReplayOptions(CurriculumOptions):
    """Options of `Replay`."""

    file: Path = Field(description="The curriculum.jsonl of an earlier run, or its run folder.")
    then: PartTable | None = Field(
        None,
        description='The curriculum after the last episode of the journal, such as { use = "uniform" }. Default: the '
        "world stays nominal.",
    )


class Replay(Composite):
    """Repeats what an earlier run's curriculum asked for, episode by episode, whatever the policy does now.

    Texts, reasons, onsets, durations, reset seeds and what the world made of each text are as logged. What a guard
    refused is left out. With the rest of the recipe and the seed equal, the new run writes the same
    ``curriculum.jsonl``. Episodes of the clean share are not asked for, so `clean_share` has to be that of the earlier
    run.
    """

    Options: ClassVar[type[CurriculumOptions]] = ReplayOptions
    options: ReplayOptions

    def __init__(self, options: ReplayOptions, world: World, rng: np.random.Generator) -> None:
        """Reads the journal.

        Raises:
            RecipeError: The file is missing or broken, or names an axis that the world does not have.
        """
        super().__init__(options, world, rng, {} if options.then is None else {"then": options.then.table})
        self._log = read_log(options.file, frozenset(axis.name for axis in world.axes))
        self.last = max(self._log)
        """Number of the last episode of the journal."""
        self._services: Services | None = None
        self._told = False

    def connect(self, services: Services) -> None:
        """Keeps what tells the user that the journal is over."""
        super().connect(services)
        self._services = services

    def choose(self, slot: Slot) -> int:
        """Nobody while the journal lasts, then the curriculum `then`."""
        return 0 if slot.episode > self.last and self.parts else NOBODY

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """The proposals of the episode with that number."""
        if slot.episode <= self.last:
            self._asked[slot.env] = (slot.episode, NOBODY)
            return self._log.get(slot.episode, ())
        self._tell()
        return super().propose(slot, report) if self.parts else ()

    def _tell(self) -> None:
        if self._told or self._services is None:
            return
        self._told = True
        then = f"'{self.options.then.use}' goes on" if self.options.then else "the world stays nominal"
        self._services.notice(f"{self.options.file} ends with episode {self.last}; from here on {then}.")

    def _concerned(self, episode: Episode) -> tuple[CurriculumStrategy, ...]:
        replayed = self._asked.get(episode.env) == (episode.index, NOBODY)
        return () if replayed else super()._concerned(episode)

    def refuse(self, slot: Slot) -> None:
        """A replayed episode is proposed again as it is."""
        if self._asked.get(slot.env, (0, NOBODY))[1] != NOBODY:
            super().refuse(slot)

    def scalars(self) -> dict[str, float]:
        """Episodes of the journal, and the scalars of what comes after it."""
        return {"curriculum/replay_last_episode": self.last, **super().scalars()}

    def state_dict(self) -> dict[str, Any]:
        """Whether the user was told that the journal is over, and the state of what comes then; JSON-ready."""
        return {**super().state_dict(), "told": self._told}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        super().load_state_dict(state)
        self._told = state["told"]


def read_log(file: Path, axes: frozenset[str]) -> dict[int, tuple[Proposal, ...]]:
    """The proposals of each episode in the order in which they were logged, that with a reset seed first.

    Args:
        file: A ``curriculum.jsonl``, or the run folder that holds it.
        axes: Names of the world's axes.

    Raises:
        RecipeError: The file is missing, empty or broken, or names an axis that is not among `axes`.
    """
    path = file / "curriculum.jsonl" if file.is_dir() else file
    log: dict[int, list[Proposal]] = {}
    for number, line in enumerate(_lines(path), 1):
        where = f"[curriculum] file, line {number}"
        try:
            row = json.loads(line)
            episode, proposal, refused = int(row["episode"]), _proposal(row), "refused" in row
        except (ValueError, KeyError, TypeError) as error:
            problem = f"is no row of a curriculum.jsonl ({type(error).__name__}: {error}). {ANOTHER}"
            raise RecipeError(str(path), where, problem) from None
        _check_axes(proposal, axes, str(path), where)
        if not refused:
            log.setdefault(episode, []).append(proposal)
    if not log:
        raise RecipeError(
            str(path), "[curriculum] file", f"holds no prompt that took its turn. {ANOTHER} that has some"
        )
    return {episode: tuple(sorted(rows, key=lambda p: p.seed is None)) for episode, rows in log.items()}


def _lines(path: Path) -> list[str]:
    """Complete lines; one that a crash cut off is left out, as `adversarl.runs.read_rows` does."""
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(str(path), "[curriculum] file", f"cannot be read: {cause}. {ANOTHER}") from None


def _proposal(row: Mapping[str, Any]) -> Proposal:
    perturbations = tuple(_perturbation(content) for content in row["perturbations"])
    grounding = Grounding(row["text"], perturbations, (), tuple(row["not_understood"]), row["restore"])
    times = {"onset": row["onset"], "duration": row["duration"]}
    return Proposal(row["text"], row["why"], **times, seed=row.get("seed"), grounding=grounding)


def _perturbation(content: Mapping[str, Any]) -> Perturbation:
    value = content["value"]
    return Perturbation(**{**content, "value": tuple(value) if isinstance(value, list) else value})


def _check_axes(proposal: Proposal, axes: frozenset[str], path: str, where: str) -> None:
    for perturbation in proposal.grounding.perturbations if proposal.grounding else ():
        if perturbation.axis not in axes:
            here = ", ".join(sorted(axes))
            problem = f"names the axis '{perturbation.axis}', which this world does not have. It has: {here}. "
            raise RecipeError(path, where, f"{problem}Replay it with the [backend] of the run that it is from")
