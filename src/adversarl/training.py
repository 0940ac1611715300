"""One run: warm start, evaluation, training in the closed loop, evaluation, summary; resumable at every point."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from adversarl.assembly import backend_for, load_checkpoint, make_learner, make_loop
from adversarl.errors import Exhausted, Interrupted, RewardHacked, RunFolderError
from adversarl.evaluate import evaluate_everywhere
from adversarl.filming import show
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.tracker import Guarded
from adversarl.loop import ClosedLoop
from adversarl.manifest import manifest
from adversarl.metrics import robustness_auc, robustness_curve
from adversarl.plugins import Plugins
from adversarl.recipe import Choice, Recipe
from adversarl.runs import RunFolder, read_json, write_json, write_text
from adversarl.types import CellResult, Rate
from adversarl.warm_starts import adopt_warm_start

StopRequested = Callable[[], bool]


def train(
    recipe: Recipe,
    plugins: Plugins,
    path: Path,
    *,
    resume: bool = False,
    stop_requested: StopRequested = lambda: False,
    source: str = "",
    warm_start: Path | None = None,
) -> dict[str, Any]:
    """Runs a recipe to its end.

    Args:
        recipe: What to run.
        plugins: Where components come from; its hooks are called.
        path: The run folder.
        resume: Go on from the folder's latest checkpoint.
        stop_requested: Asked where a checkpoint may be taken; True saves and raises `Interrupted`.
        source: Recipe and options as they were given, for the message that says how to resume.
        warm_start: A run folder whose warm start a new run takes over, see `adopt_warm_start`.

    Returns:
        What ``summary.json`` holds.

    Raises:
        Interrupted: A stop was requested; the run is saved.
        RunFolderError: The folder is in use or belongs to another run.
    """
    begun = time.monotonic()
    with RunFolder(path, resume=resume) as folder:
        _check_recipe(folder, recipe, resume=resume)
        run = Run(recipe, plugins, folder, stop_requested, source, begun, warm_start)
        try:
            return run.execute()
        finally:
            run.close()


class Run:
    """The phases of one run over an open folder."""

    def __init__(
        self,
        recipe: Recipe,
        plugins: Plugins,
        folder: RunFolder,
        stop_requested: StopRequested,
        source: str,
        begun: float,
        warm_start: Path | None = None,
    ) -> None:
        self.warm_start = warm_start
        self.recipe, self.folder, self.manager = recipe, folder, plugins.manager
        self.stop_requested, self.source = stop_requested, source
        self.listeners = [folder, *(self._tracker(choice) for choice in recipe.trackers)]
        self.loop: ClosedLoop = make_loop(recipe, plugins)
        try:
            self.cells = recipe["evaluation"].make().cells(self.loop.parts.world.axes, recipe.run.seed)
            for cell in self.cells:  # what cannot be evaluated should not be trained for hours before
                backend_for(recipe, cell.world)
            self.loop.parts.trials.load_antagonist()
            self.learner: Learner = make_learner(recipe, self.loop)
            for listener in self.listeners:
                self.manager.register(listener)
            self.loop.connect(self.learner, folder.path)
        except BaseException:
            self.close()
            raise
        self.phase = "warm_start"
        self.seconds: dict[str, float] = {}
        self.set_up_time_s: float | None = None
        self._clock = begun
        self._begun = begun
        self._saved_at = 0

    def _tracker(self, choice: Choice) -> Guarded:
        hook, source = self.manager.hook, f"tracker {choice.component.name}"
        return Guarded(choice.make(self.folder.path), lambda text: hook.adversarl_notice(source=source, text=text))

    def close(self) -> None:
        """Releases the worlds and the listeners."""
        try:
            self.loop.close()
        finally:
            for listener in self.listeners:
                if self.manager.is_registered(listener):
                    self.manager.unregister(listener)

    def execute(self) -> dict[str, Any]:
        """Does what is left to do."""
        resumed_at = self._restore()
        self.manager.hook.adversarl_run_started(
            folder=self.folder.path, recipe=self.recipe.resolved(), resumed_at=resumed_at
        )
        if self.phase == "warm_start":
            self._warm_start()
        warm = self._evaluate("warm_start", 0)
        self._train()
        final = self._evaluate("final", self.learner.env_steps)
        return self._summarize(warm, final)

    def _warm_start(self) -> None:
        self.loop.phase = "warm_start"
        self.learner.warm_start(self._on_progress)
        self._spend("warm_start")
        if self._must_stop(self.loop):
            self._save()
            raise self._stopped(self.loop)
        self.phase = self.loop.phase = "train"
        self._save()

    def _train(self) -> None:
        total = self.recipe.run.total_steps
        self._evaluate_along_the_way()
        if total:  # else the loop stays where the warm start left it, so that other runs can begin there
            self.learner.learn(total, self._on_progress)
        self._spend("train")
        self._save()
        if self.learner.env_steps < total:
            raise self._stopped(self.loop)
        self.folder.write_parquet()

    def _on_progress(self, scalars: Mapping[str, float]) -> bool:
        """Logs, checkpoints when it is time, and says whether to go on."""
        if self.set_up_time_s is None:
            self.set_up_time_s = time.monotonic() - self._begun
        steps, learner = self.loop.env_steps, self.learner
        ours = self.loop.scalars() if self.phase == "train" else {}
        self.manager.hook.adversarl_scalars(step=steps, scalars={**scalars, **ours})
        if self.phase == "train":
            done, total = learner.env_steps, self.recipe.run.total_steps
        else:
            done, total = steps, learner.warm_start_total
        self.manager.hook.adversarl_progress(phase=self.phase, done=done, total=total)
        if steps - self._saved_at >= self.recipe.run.checkpoint_every:
            self._save()
        if self.phase == "train":
            self._evaluate_along_the_way()
        return not self._must_stop(self.loop)

    def _must_stop(self, place: PerturbableVectorEnv | ClosedLoop) -> bool:
        return bool(place.exhausted or self.loop.scoring.alarm) or self.stop_requested()

    def _stopped(self, place: PerturbableVectorEnv | ClosedLoop) -> Interrupted | Exhausted | RewardHacked:
        """Why a run stops before its end, and how to go on."""
        if self.loop.scoring.alarm:
            return RewardHacked(self.folder.path, self.source, self.loop.scoring.alarm)
        if place.exhausted:
            return Exhausted(self.folder.path, self.source, place.exhausted)
        return Interrupted(self.folder.path, self.source)

    def _save(self) -> None:
        self._spend(self.phase)
        self._saved_at = self.loop.env_steps
        meta = {"phase": self.phase, "seconds": self.seconds, "set_up_time_s": self.set_up_time_s}
        self.folder.save_checkpoint(self.loop.env_steps, self.loop.snapshot(), meta, self.learner.save)

    def _restore(self) -> int:
        """Goes back to the latest checkpoint, if there is one; returns its environment steps."""
        latest = self.folder.latest()
        if latest is not None:
            meta = read_json(latest / "meta.json")
            load_checkpoint(latest, self.loop, self.learner)
        elif self.warm_start is not None:
            meta = adopt_warm_start(self.warm_start, self.folder, self.recipe, self.loop, self.learner)
        else:
            return 0
        self.phase, self.seconds = meta["phase"], meta["seconds"]
        self.set_up_time_s = meta["set_up_time_s"]
        self.folder.cut_evaluations(self.learner.env_steps)
        self._saved_at = self.loop.env_steps
        return self._saved_at

    def _evaluate_along_the_way(self) -> None:
        """Evaluates where a multiple of `evaluate_every` was passed; saves before, so that a stop loses nothing."""
        steps, every = self.learner.env_steps, self.recipe.run.evaluate_every
        if not every or steps < every or steps >= self.recipe.run.total_steps:
            return
        name = f"step-{steps // every * every}"
        if not self.folder.evaluated(name):
            self._save()
            self._evaluate(name, steps)

    def _evaluate(self, name: str, step: int) -> list[CellResult]:
        known = self.folder.evaluation(name, step)
        if known is not None:
            return known
        self._spend("train" if name.startswith("step-") else "other")
        results = evaluate_everywhere(
            lambda world: self.learner.act,
            self._make_world,
            self.cells,
            lambda world, done, total: self._on_evaluated(world, name, done, total),
        )
        self.manager.hook.adversarl_evaluation_finished(step=step, name=name, results=results)
        if not self.recipe["backend"].make().live:  # whose every picture may cost
            show(self.manager.hook, step, self.learner.act, partial(self._make_world, num_envs=1), self.cells, results)
        self._spend("evaluation")
        return results

    def _make_world(self, changes: Mapping[str, Any], num_envs: int | None = None) -> PerturbableVectorEnv:
        recipe, hook = self.recipe, self.manager.hook
        backend = backend_for(recipe, changes).make()
        world: PerturbableVectorEnv = backend.make(seed=recipe.run.seed, num_envs=num_envs)
        world.connect(lambda text: hook.adversarl_notice(source="backend", text=text), self.folder.path)
        return world

    def _on_evaluated(self, world: PerturbableVectorEnv, name: str, done: int, total: int) -> None:
        self.manager.hook.adversarl_progress(phase=f"evaluate {name}", done=done, total=total)
        if self._must_stop(world):
            raise self._stopped(world)

    def _spend(self, phase: str) -> None:
        """Books the wall-clock time since the last call to a phase."""
        now = time.monotonic()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._clock
        self._clock = now

    def _summarize(self, warm: list[CellResult], final: list[CellResult]) -> dict[str, Any]:
        curve, before = robustness_curve(final), robustness_curve(warm)
        summary = {
            "name": self.recipe.run.name,
            "seed": self.recipe.run.seed,
            "nominal_success": curve[0.0].to_json() if 0.0 in curve else None,
            "robustness_auc": robustness_auc(final),
            "warm_start_nominal_success": before[0.0].to_json() if 0.0 in before else None,
            "warm_start_robustness_auc": robustness_auc(warm),
            "robustness_curve": _curve(curve),
            "warm_start_robustness_curve": _curve(before),
            "env_steps": self.learner.env_steps,
            "warm_start_env_steps": self.loop.env_steps - self.learner.env_steps,
            "trial_env_steps": self.loop.trial_env_steps,
            "episodes": self.loop.episodes,
            "curriculum": self.loop.scalars(),
            "set_up_time_s": self.set_up_time_s,
            "wall_clock_s": sum(self.seconds.values()),
            "seconds": self.seconds,
        }
        write_json(self.folder.path / "summary.json", summary)
        self.manager.hook.adversarl_run_finished(folder=self.folder.path, summary=summary)
        return summary


def _curve(curve: Mapping[float, Rate]) -> list[dict[str, Any]]:
    return [{"intensity": intensity, **rate.to_json()} for intensity, rate in curve.items()]


_MAY_CHANGE = {"total_steps", "evaluate_every", "checkpoint_every", "max_cost_usd", "on_alarm"}


def _check_recipe(folder: RunFolder, recipe: Recipe, *, resume: bool) -> None:
    """A run folder belongs to one recipe; only a longer or dearer run may be asked of it."""
    path = folder.path / "recipe.toml"
    if not resume:
        write_json(folder.path / "manifest.json", manifest())
        write_text(path, recipe.to_toml())
        return
    from adversarl.recipe import read_toml

    stored, wanted = read_toml(path), recipe.resolved()
    wanted.pop("tracking")  # which changes nothing about the run
    for table in wanted:
        for key in sorted({*stored.get(table, {}), *wanted[table]} - _MAY_CHANGE):
            old, new = stored.get(table, {}).get(key), wanted[table].get(key)
            if old != new:
                problem = f"was made with [{table}] {key} = {old!r}, not {new!r}. Resume with the same recipe"
                raise RunFolderError(folder.path, f"{problem}, or choose another folder with --out")
    write_text(path, recipe.to_toml())
