"""Tracker `tensorboard`."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from adversarl import hookimpl
from adversarl.interfaces.tracker import Tracker, TrackerOptions
from adversarl.types import CellResult, FailureReport, Proposal
from adversarl_trackers.events import Events
from adversarl_trackers.markdown import CELLS, PROMPTS, cell_rows, prompt_rows, recipe_text, report_text, table
from adversarl_trackers.numbers import evaluation_numbers, hyperparameters, report_numbers, summary_numbers
from adversarl_trackers.pictures import Picture, gif, png


class TensorBoardOptions(TrackerOptions):
    """Options of `TensorBoard`."""

    folder: str = Field("tensorboard", min_length=1, description="Folder of the event files, within the run folder.")
    prompts: int = Field(
        10, ge=0, description="Prompts that are written as text with each failure report, the newest ones."
    )


class TensorBoard(Tracker):
    """Writes what happens in a run as TensorBoard scalars, texts and hyperparameters.

    A resumed run continues its curves: what the interrupted process wrote after its last checkpoint is voided.
    Everything is on disk when a hook returns.
    """

    Options: ClassVar[type[TrackerOptions]] = TensorBoardOptions
    options: TensorBoardOptions

    def __init__(self, options: TensorBoardOptions, folder: Path) -> None:
        super().__init__(options, folder)
        self._prompts: deque[tuple[int, Proposal]] = deque(maxlen=options.prompts)
        self._opened: Events | None = None
        self._step = 0

    @property
    def _events(self) -> Events:
        if self._opened is None:
            self._opened = self._open(0)
        return self._opened

    def _open(self, first_step: int) -> Events:
        events = Events(self.folder / self.options.folder, first_step)
        weakref.finalize(self, events.close)  # an interrupted run says no goodbye
        return events

    @hookimpl
    def adversarl_run_started(self, recipe: Mapping[str, Any], resumed_at: int) -> None:
        """Writes the recipe; voids what is about to be repeated."""
        self._opened = self._open(resumed_at + 1 if resumed_at else 0)
        self._events.begin(hyperparameters(recipe), str(self.folder.resolve()))
        self._events.text("recipe", recipe_text(recipe), 0)
        self._events.flush()

    @hookimpl
    def adversarl_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes scalars under their names."""
        self._step = step
        self._events.scalars(scalars, step)
        self._events.flush()

    @hookimpl
    def adversarl_prompt(self, episode: int, proposal: Proposal) -> None:
        """Remembers a prompt until the next report."""
        self._prompts.append((episode, proposal))

    @hookimpl
    def adversarl_report(self, env_steps: int, report: FailureReport) -> None:
        """Writes success and effects as scalars, the report and the newest prompts as text."""
        self._events.scalars(report_numbers(report), env_steps)
        self._events.text("failure/report", report_text(report), env_steps)
        if self._prompts:
            self._events.text("curriculum/prompts", table(PROMPTS, prompt_rows(self._prompts)), env_steps)
        self._events.flush()

    @hookimpl
    def adversarl_evaluation_finished(self, step: int, name: str, results: list[CellResult]) -> None:
        """Writes success per axis and intensity, and the robustness AUC."""
        self._events.scalars(evaluation_numbers(results), step)
        self._events.text(f"evaluation/{name}", table(CELLS, cell_rows(results)), step)
        self._events.flush()

    @hookimpl
    def adversarl_media(self, step: int, pictures: Mapping[str, Picture], videos: Mapping[str, Picture]) -> None:
        """Writes pictures as PNG and films as animated GIF."""
        for tag, picture in pictures.items():
            self._events.image(tag, png(picture), picture.shape[:2], step)
        for tag, film in videos.items():
            self._events.image(tag, gif(film), film.shape[1:3], step)
        self._events.flush()

    @hookimpl
    def adversarl_run_finished(self, summary: Mapping[str, Any]) -> None:
        """Writes the summary as the metrics by which TensorBoard compares runs."""
        self._events.end(summary_numbers(summary), self._step)
        self._events.flush()
