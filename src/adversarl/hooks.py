"""Hook specifications: how plugins join, and what they may listen to.

Lifecycle hooks fire per episode, per report, per evaluation and per set of scalars; never per environment step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import typer
    from numpy.typing import NDArray

    from adversarl.registry import Registrar
    from adversarl.schedule import Entry
    from adversarl.types import CellResult, Episode, FailureReport, Proposal

    Picture = NDArray[np.uint8]

hookspec = pluggy.HookspecMarker("adversarl")
hookimpl = pluggy.HookimplMarker("adversarl")


@hookspec
def adversarl_register(add: Registrar) -> None:
    """Registers components by string: ``add.learner("ppo", "my_pkg.ppo:PPO", "One line.")``."""


@hookspec
def adversarl_commands(app: typer.Typer) -> None:
    """Adds commands to the command line."""


@hookspec
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds named benchmarks: every command of `app` is one, called by ``adversarl bench NAME``."""


@hookspec
def adversarl_doctor(check: Callable[[str, bool, str], None]) -> None:
    """Adds findings to ``adversarl doctor``: ``check(name, ok, detail)``; detail says what to do when not ok."""


@hookspec
def adversarl_run_started(folder: Path, recipe: Mapping[str, Any], resumed_at: int) -> None:
    """A run began, or went on from `resumed_at` environment steps."""


@hookspec
def adversarl_prompt(env: int, episode: int, proposal: Proposal) -> None:
    """A curriculum's proposal was grounded and scheduled for an episode."""


@hookspec
def adversarl_prompt_in_force(env: int, episode: int, env_steps: int, step: int | None, entry: Entry) -> None:
    """A proposal took effect at a control step of its episode, or never did (`step` is None) because it ended."""


@hookspec
def adversarl_prompt_refused(env: int, episode: int, env_steps: int, entry: Entry, player: str) -> None:
    """The guard of solvability refused a proposal: `player` could not solve the episode."""


@hookspec
def adversarl_notice(source: str, text: str) -> None:
    """Something happened that the user should know, such as a service that is away and what is done instead."""


@hookspec
def adversarl_episode_finished(episode: Episode) -> None:
    """An episode ended."""


@hookspec
def adversarl_report(env_steps: int, report: FailureReport) -> None:
    """The failure classifier made a report."""


@hookspec
def adversarl_scalars(step: int, scalars: Mapping[str, float]) -> None:
    """Scalars under the names that Stable-Baselines3 users know, such as ``rollout/success_rate``."""


@hookspec
def adversarl_progress(phase: str, done: int, total: int) -> None:
    """A phase (``warm_start``, ``train``, ``evaluate``) came so far; units are steps or episodes."""


@hookspec
def adversarl_media(step: int, pictures: Mapping[str, Picture], videos: Mapping[str, Picture]) -> None:
    """What the policy does in some cells of the evaluation that just ended; filmed only if somebody implements this.

    Pictures have Shape (height, width, 3), videos (n, height, width, 3), both under names such as
    ``trajectory/video/mixed/0.25`` for axis and intensity.
    """


@hookspec
def adversarl_evaluation_finished(step: int, name: str, results: list[CellResult]) -> None:
    """An evaluation ended; name is ``warm_start``, ``final``, or ``step-N`` along the way."""


@hookspec
def adversarl_run_finished(folder: Path, summary: Mapping[str, Any]) -> None:
    """A run reached its last step; `summary` is what ``summary.json`` holds."""
