"""The live view of a run: where it is, how well it does, what the world does now and why."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from textwrap import shorten

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from adversarl.hooks import hookimpl
from adversarl.metrics import rate
from adversarl.types import CellResult, Episode, FailureReport, Proposal

PLAIN_INTERVAL_S = 15.0
"""Seconds between two lines where the output is no terminal."""

PROMPT_WIDTH = 160
"""Characters of a prompt that are shown; the whole is in ``curriculum.jsonl``."""


WRONG = {"false successes": "false_successes", "missed": "missed_successes"}
"""What is called how of what the watch counts."""


class LiveView:
    """Listens to the lifecycle hooks; a live panel on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, name: str) -> None:
        self.console, self.name = console, name
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=console,
        )
        self.tasks: dict[str, TaskID] = {}
        self.recent: deque[bool] = deque(maxlen=100)
        self.proposal: Proposal | None = None
        self.report: FailureReport | None = None
        self.scalars: Mapping[str, float] = {}
        self._printed = time.monotonic()
        self._marks: dict[str, tuple[float, int]] = {}
        self.live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveView:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def _render(self) -> RenderableType:
        lines = [Text.from_markup(f"  {line}") for line in self._lines()]
        return Group(self.progress, *lines)

    def _lines(self) -> list[str]:
        lines = []
        if self.recent:
            success = rate(list(self.recent))
            interval = escape(f"[{success.low:.0%}, {success.high:.0%}]")
            lines.append(f"success, last {success.n} episodes: [bold]{success.value:.0%}[/] {interval}")
        if self.proposal is not None:
            lines.append(f"prompt: [cyan]{escape(shorten(self.proposal.text, PROMPT_WIDTH, placeholder=' …'))}[/]")
            lines.append(f"   why: {escape(self.proposal.why)}")
        if self.report is not None and self.report.modes:
            lines.append(f"weakest: [red]{escape(self.report.modes[0].sentence)}[/]")
        lines += self._detectors()
        costs = [f"{name.partition('/')[0]} {usd:.2f} USD" for name, usd in self.scalars.items() if "cost_usd" in name]
        return [*lines, *([f"cost: {', '.join(costs)}"] if costs else [])]

    def _detectors(self) -> list[str]:
        """What the reward's detector calls success, and what the simulator does; nothing where they are one."""
        watch = {key.removeprefix("watch/"): value for key, value in self.scalars.items() if key.startswith("watch/")}
        if "success" not in watch:
            return []
        wrong = [f"{word} {watch[key]:.0%}" for word, key in WRONG.items() if key in watch]
        alarms = int(watch["alarms"])
        color, many = ("red", "1 alarm" if alarms == 1 else f"{alarms} alarms") if alarms else ("green", "no alarm")
        shares = f"detector {watch['success']:.0%} solved, simulator {watch['state_success']:.0%}"
        return [f"watch: {shares}; {', '.join(wrong)}; [{color}]{many}[/]"]

    @hookimpl
    def adversarl_progress(self, phase: str, done: int, total: int) -> None:
        """Moves a phase's bar."""
        if phase not in self.tasks:
            self.tasks[phase] = self.progress.add_task(f"{self.name} {phase}", total=total, speed="")
            self._marks[phase] = (time.monotonic(), done)
        begun, first = self._marks[phase]
        seconds = time.monotonic() - begun
        speed = f"{(done - first) / seconds:,.0f}/s" if seconds > 1 else ""
        self.progress.update(self.tasks[phase], completed=done, speed=speed)
        if not self.console.is_terminal:
            self._print_line(phase, done, total, speed)

    def _print_line(self, phase: str, done: int, total: int, speed: str) -> None:
        now = time.monotonic()
        if now - self._printed < PLAIN_INTERVAL_S and done < total:
            return
        self._printed = now
        line = " | ".join([f"{phase} {done:,}/{total:,} {speed}", *self._lines()])
        self.console.print(Text.from_markup(line), soft_wrap=True, highlight=False)

    @hookimpl
    def adversarl_scalars(self, scalars: Mapping[str, float]) -> None:
        """Shows what the run has cost so far."""
        self.scalars = scalars

    @hookimpl
    def adversarl_episode_finished(self, episode: Episode) -> None:
        """Counts success."""
        self.recent.append(episode.success)

    @hookimpl
    def adversarl_prompt(self, proposal: Proposal) -> None:
        """Shows the prompt and why."""
        self.proposal = proposal

    @hookimpl
    def adversarl_report(self, report: FailureReport) -> None:
        """Shows the worst failure mode."""
        self.report = report

    @hookimpl
    def adversarl_run_started(self, resumed_at: int) -> None:
        """Says that a run goes on."""
        if resumed_at:
            self.console.print(f"resumed at {resumed_at:,} steps", highlight=False)

    @hookimpl
    def adversarl_notice(self, source: str, text: str) -> None:
        """Says at once what the user should know."""
        self.console.print(f"[yellow]{source}:[/] {escape(text)}", highlight=False, soft_wrap=True)

    @hookimpl
    def adversarl_evaluation_finished(self, name: str, results: list[CellResult]) -> None:
        """Prints the evaluation's curve in one line."""
        mixed = [cell for cell in results if cell.axis == "mixed"]
        shown = ", ".join(f"{cell.intensity:.2f}: {rate(cell.success).value:.0%}" for cell in mixed)
        self.console.print(f"evaluation {name}, success at intensity {shown}", highlight=False)
