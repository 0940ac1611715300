"""Checks of trackers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pluggy

from adversarl import hooks
from adversarl.builtin.point_mass_axes import AXES
from adversarl.interfaces.tracker import Tracker, TrackerOptions
from adversarl.metrics import wilson
from adversarl.testing.fakes import make_episodes
from adversarl.testing.kit import conformance, demand
from adversarl.types import CellResult, FailureReport, Proposal


@contextmanager
def _registered(cls: type[Tracker], options: TrackerOptions, folder: Path) -> Iterator[pluggy.PluginManager]:
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    tracker = cls(options, folder)
    manager.register(tracker)
    yield manager
    manager.unregister(tracker)


def _run(hook: pluggy.HookRelay, folder: Path, resumed_at: int = 0) -> None:
    """All that happens in a short run."""
    from adversarl.schedule import Entry

    hook.adversarl_run_started(folder=folder, recipe={"run": {"name": "check", "seed": 0}}, resumed_at=resumed_at)
    proposal = Proposal("dim the light at 40 %", "to see whether it is noticed")
    for episode in make_episodes(4, tuple(AXES)):
        hook.adversarl_prompt(env=episode.env, episode=episode.index, proposal=proposal)
        entry = Entry(proposal, episode.perturbations)
        steps = {"env": episode.env, "episode": episode.index, "env_steps": episode.env_steps}
        hook.adversarl_prompt_in_force(**steps, step=0, entry=entry)
        hook.adversarl_episode_finished(episode=episode)
        hook.adversarl_scalars(step=resumed_at + episode.env_steps, scalars={"rollout/success_rate": 0.5})
        hook.adversarl_progress(phase="train", done=episode.env_steps, total=80)
    hook.adversarl_report(env_steps=80, report=FailureReport(4, wilson(2, 4), wilson(1, 2)))
    cell = CellResult("mixed", 0.0, (2**31,), (True,), (1.0,))
    hook.adversarl_evaluation_finished(step=80, name="final", results=[cell])
    film = np.arange(3 * 32 * 32 * 3, dtype=np.uint8).reshape(3, 32, 32, 3)
    pictures, videos = {"trajectory/image/mixed/0.00": film[0]}, {"trajectory/video/mixed/0.00": film}
    hook.adversarl_media(step=80, pictures=pictures, videos=videos)
    hook.adversarl_run_finished(folder=folder, summary={"nominal_success": wilson(1, 1).to_json()})


@conformance("tracker")
def every_hook_it_implements_exists(cls: type[Tracker], options: TrackerOptions) -> None:
    """At least one lifecycle hook is implemented, and none is misspelt or asks for arguments there are not."""
    with tempfile.TemporaryDirectory() as folder, _registered(cls, options, Path(folder)) as manager:
        manager.check_pending()
        tracker = next(iter(manager.get_plugins()))
        callers = manager.get_hookcallers(tracker)
        demand(callers, "it implements no hook", "Mark methods named as in adversarl.hooks with @adversarl.hookimpl")


@conformance("tracker")
def a_whole_run_is_tracked(cls: type[Tracker], options: TrackerOptions) -> None:
    """Every event of a run passes without an exception, in a folder that holds other files too."""
    with tempfile.TemporaryDirectory() as folder, _registered(cls, options, Path(folder)) as manager:
        (Path(folder) / "recipe.toml").write_text("[run]\n")
        _run(manager.hook, Path(folder))
        kept = (Path(folder) / "recipe.toml").read_text() == "[run]\n"
        demand(kept, "it changed a file of the run folder that is not its own", "Write files of your own name")


@conformance("tracker")
def a_resumed_run_is_tracked(cls: type[Tracker], options: TrackerOptions) -> None:
    """A second tracker goes on in the folder of the first, as after a crash."""
    with tempfile.TemporaryDirectory() as folder:
        for resumed_at in (0, 80):
            with _registered(cls, options, Path(folder)) as manager:
                _run(manager.hook, Path(folder), resumed_at)
