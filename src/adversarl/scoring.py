"""Who says what a step was worth: the reward's detector, the test of success, the monitors, and the watch over them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice, PerturbableVectorEnv
from adversarl.interfaces.reward import Score, Step
from adversarl.parts import Detectors
from adversarl.types import Verdict
from adversarl.watch import HackingWatch


class Scoring:
    """Scores the steps of a loop and keeps account of who called which episode a success.

    The loop calls it so::

        scoring.begin(frames, starting)                       # at each reset
        score, terminated, truncated = scoring.step(step, terminated)
        verdicts = scoring.finish(env)                        # where an episode ended

    An episode is over when the reward's detector says so, or when the time is up: what the simulator calls success
    ends nothing, as it would not in a real world. A detector that is the truth makes no difference. An episode counts
    as solved in truth if the simulator called it solved in any of its steps; a detector may be late, but not early.

    Args:
        detectors: Who scores.
        world: Where.
    """

    def __init__(self, detectors: Detectors, world: PerturbableVectorEnv) -> None:
        self.detectors, self._world = detectors, world
        named = {detectors.name: detectors.reward, **{f"monitor/{n}": d for n, d in detectors.monitors.items()}}
        self.watches = {
            name: HackingWatch(detectors.watch, name.removeprefix("monitor/"))
            for name, detector in named.items()
            if world.truth and not detector.truth
        }
        self.alarm = ""
        """What the watch found wrong with the reward, if the run has to stop for it."""
        n = world.num_envs
        self._truth = np.zeros(n, bool)
        self._said = {name: np.zeros(n, bool) for name in detectors.monitors}
        self._notice: Notice = lambda text: None

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Is told how to tell the user something, and where the run lies."""
        self._notice = notice
        for detector in self.detectors.all().values():
            detector.connect(notice, folder)

    @property
    def exhausted(self) -> str:
        """Why the run must not go on; monitors never end one."""
        verdict = self.detectors.verdict
        return self.detectors.reward.exhausted or ("" if verdict is None else verdict.exhausted)

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_]) -> None:
        """Episodes begin."""
        self._truth[starting] = False
        for name, monitor in self.detectors.monitors.items():
            self._said[name][starting] = False
            monitor.begin(frames, starting, self._world.task)
        self.detectors.reward.begin(frames, starting, self._world.task)

    def step(self, step: Step, terminated: NDArray[np.bool_]) -> tuple[Score, NDArray[np.bool_], NDArray[np.bool_]]:
        """Scores a step; returns the score, where episodes are over, and where the time is up.

        Args:
            step: What happened; its `ending` is known.
            terminated: Where the world ends an episode. Shape (num_envs,).
        """
        assert step.ending is not None
        self._truth |= step.success
        score = self.detectors.reward.score(step)
        for name, monitor in self.detectors.monitors.items():
            self._said[name] |= monitor.score(step).success
        over = (terminated & ~step.success) | score.success
        late = step.ending & ~over
        test, ended = self.detectors.verdict, over | late
        if test is not None and ended.any():
            success = score.success.copy()
            success[ended] = test.verdict(step, ended)
            score = Score(score.reward, success)
        return score, over, late

    def finish(self, env: int, success: bool) -> tuple[bool | None, tuple[Verdict, ...]]:
        """An episode's truth, None where there is none, and what each detector said of it that is not the truth."""
        truth = bool(self._truth[env])
        said = {self.detectors.name: (self.detectors.verdict or self.detectors.reward, success)}
        said |= {f"monitor/{n}": (m, bool(self._said[n][env])) for n, m in self.detectors.monitors.items()}
        for name, watch in self.watches.items():
            if alarm := watch.observe(said[name][1], truth):
                self._raise(name, alarm)
        verdicts = tuple(
            Verdict(name, yes, "".join(detector.reasons()[env : env + 1]))
            for name, (detector, yes) in said.items()
            if not detector.truth
        )
        return truth if self._world.truth else None, verdicts

    def _raise(self, name: str, alarm: str) -> None:
        self._notice(f"reward hacking watch: {alarm}")
        if name == self.detectors.name and self.detectors.watch.on_alarm == "stop":
            self.alarm = alarm

    def scalars(self) -> dict[str, float]:
        """What detectors measure of themselves, and under ``watch/`` what the watch counts."""
        found = {
            f"{name}/{key}": value
            for name, detector in self.detectors.all().items()
            for key, value in detector.scalars().items()
        }
        for name, watch in self.watches.items():
            prefix = "watch" if name == self.detectors.name else f"watch/{name.removeprefix('monitor/')}"
            found |= {f"{prefix}/{key}": value for key, value in watch.scalars().items()}
        return found

    def close(self) -> None:
        """Closes every detector, whatever of them fails to."""
        with ExitStack() as stack:
            for detector in self.detectors.all().values():
                stack.callback(detector.close)

    def state_dict(self) -> dict[str, Any]:
        """Detectors, watches, and what was said of the running episodes."""
        return {
            "detectors": {name: detector.state_dict() for name, detector in self.detectors.all().items()},
            "watches": {name: watch.state_dict() for name, watch in self.watches.items()},
            "truth": self._truth.copy(),
            "said": {name: said.copy() for name, said in self._said.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        for name, detector in self.detectors.all().items():
            detector.load_state_dict(state["detectors"][name])
        for name, watch in self.watches.items():
            watch.load_state_dict(state["watches"][name])
        self._truth[:] = state["truth"]
        for name, said in self._said.items():
            said[:] = state["said"][name]
