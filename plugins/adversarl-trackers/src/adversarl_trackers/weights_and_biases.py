"""Tracker `wandb`."""

from __future__ import annotations

import io
import os
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from adversarl import hookimpl
from adversarl.errors import AdversarlError, MissingExtra
from adversarl.interfaces.tracker import Tracker, TrackerOptions
from adversarl.types import CellResult, FailureReport, Proposal
from adversarl_trackers.markdown import CELLS, PROMPTS, Row, cell_rows, prompt_rows, report_text
from adversarl_trackers.numbers import evaluation_numbers, hyperparameters, report_numbers, summary_numbers
from adversarl_trackers.pictures import Picture, gif

_OPEN: dict[str, Any] = {}
"""Runs of W&B that this process has begun and not ended, by id."""
STEPS = "env_steps"
"""What curves are drawn over; W&B's own steps may not go back, those of a resumed run do."""


class WeightsAndBiasesOptions(TrackerOptions):
    """Options of `WeightsAndBiases`."""

    project: str = Field("adversarl", min_length=1, description="Project on W&B.")
    entity: str = Field("", description="User or team on W&B; the account's default if empty.")
    mode: Literal["offline", "online", "disabled"] = Field(
        "offline",
        description="offline writes into the run folder and needs neither account nor network; online sends too.",
    )
    group: str = Field("", description="Group of runs, such as the seeds of one recipe; the run's name if empty.")
    tags: tuple[str, ...] = Field((), description="Tags of the run.")
    name: str = Field("", description="Name of the run on W&B; that of its folder if empty.")
    prompts: int = Field(10, ge=0, description="Prompts in the table with each failure report, the newest ones.")


class WeightsAndBiases(Tracker):
    """Writes what happens in a run for W&B, under the names that `tensorboard` uses.

    A resumed run goes on under the same W&B run, whose id is kept in the run folder.
    """

    Options: ClassVar[type[TrackerOptions]] = WeightsAndBiasesOptions
    options: WeightsAndBiasesOptions

    def __init__(self, options: WeightsAndBiasesOptions, folder: Path) -> None:
        super().__init__(options, folder)
        self._wandb = _import(options.mode)
        self._run: Any = None
        self._prompts: deque[tuple[int, Proposal]] = deque(maxlen=options.prompts)
        if options.mode == "online" and not self._wandb.login(prompt=False):
            raise AdversarlError(
                "[tracking.wandb] mode = 'online' needs an account. Run: wandb login, or set mode = 'offline'"
            )

    @hookimpl
    def adversarl_run_started(self, recipe: Mapping[str, Any]) -> None:
        """Begins the W&B run, or goes on with the one of this folder."""
        options = self.options
        run_id = _run_id(self.folder / "wandb" / "id")
        if run_id in _OPEN:  # an interrupted run says no goodbye; at the process's end W&B closes it by itself
            _OPEN.pop(run_id).finish(exit_code=1)
        self._run = _OPEN[run_id] = self._wandb.init(
            project=options.project,
            entity=options.entity or None,
            mode=options.mode,
            dir=str(self.folder),
            id=run_id,
            resume="allow",
            reinit="create_new",
            name=options.name or self.folder.name,
            group=options.group or recipe["run"]["name"],
            tags=options.tags,
            config=hyperparameters(recipe),
            settings=self._wandb.Settings(silent=True, console="off"),  # the live view has the terminal
        )
        self._run.define_metric(STEPS, hidden=True)
        self._run.define_metric("*", step_metric=STEPS)

    @hookimpl
    def adversarl_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes scalars under their names."""
        self._log(scalars, step)

    @hookimpl
    def adversarl_prompt(self, episode: int, proposal: Proposal) -> None:
        """Remembers a prompt until the next report."""
        self._prompts.append((episode, proposal))

    @hookimpl
    def adversarl_report(self, env_steps: int, report: FailureReport) -> None:
        """Writes success and effects, the report as text, and the newest prompts as a table."""
        written = {"failure/report": self._table(("report",), [(report_text(report),)])}
        if self._prompts:
            written["curriculum/prompts"] = self._table(PROMPTS, prompt_rows(self._prompts))
        self._log(report_numbers(report) | written, env_steps)

    @hookimpl
    def adversarl_evaluation_finished(self, step: int, name: str, results: list[CellResult]) -> None:
        """Writes success per axis and intensity, the robustness AUC, and a table of cells."""
        self._log(evaluation_numbers(results) | {f"evaluation/{name}": self._table(CELLS, cell_rows(results))}, step)

    @hookimpl
    def adversarl_media(self, step: int, pictures: Mapping[str, Picture], videos: Mapping[str, Picture]) -> None:
        """Writes pictures, and films as animated GIF."""
        shown = {tag: self._wandb.Image(picture) for tag, picture in pictures.items()}
        films = {tag: self._wandb.Video(io.BytesIO(gif(film)), format="gif") for tag, film in videos.items()}
        self._log(shown | films, step)

    @hookimpl
    def adversarl_run_finished(self, summary: Mapping[str, Any]) -> None:
        """Writes the summary and ends the W&B run."""
        if self._run is not None:
            self._run.summary.update(summary_numbers(summary))
            self._run.finish()
            _OPEN.pop(self._run.id, None)

    def _log(self, values: Mapping[str, Any], step: int) -> None:
        if self._run is not None:
            self._run.log({**values, STEPS: step})

    def _table(self, columns: Sequence[str], rows: Sequence[Row]) -> Any:
        return self._wandb.Table(columns=list(columns), data=[list(map(str, row)) for row in rows])


def _import(mode: str) -> Any:
    """W&B's package; offline it does not report its errors to W&B either.

    Raises:
        MissingExtra: It is not installed.
    """
    if mode != "online":
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read when it is imported
    try:
        import wandb
    except ModuleNotFoundError as error:
        raise MissingExtra("tracker 'wandb'", str(error.name), "'adversarl-trackers[wandb]'") from error
    return wandb


def _run_id(path: Path) -> str:
    """The W&B id of a run folder; made once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid.uuid4().hex[:12])
    return path.read_text()
