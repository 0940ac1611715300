"""Detectors that look at pictures: how they judge, how often, how late, and when many verdicts make one."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from adversarl.errors import NotTrainable
from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score, Step
from adversarl.labelled import LabelledFrames

OnProgress = Callable[[int, int], None]
"""Called with how much of the work is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a detector sees in n pictures.

    Attributes:
        probability: That the task is solved, in [0, 1]; nan where it abstains. Shape (n,).
        progress: How far the task has come, in [0, 1]; nan where it cannot say. Shape (n,).
        reasons: Why, in English, one each; empty where it has nothing to say.
    """

    probability: NDArray[np.float64]
    progress: NDArray[np.float64]
    reasons: tuple[str, ...] = ()


class FrameOptions(RewardOptions):
    """Keys of every detector that looks at pictures."""

    threshold: float = Field(0.5, gt=0, lt=1, description="Probability of success from which a picture says yes [1].")
    release: float | None = Field(
        None, gt=0, lt=1, description="Once yes, a picture says no only below this probability [1]; default: threshold."
    )
    hold: int = Field(2, ge=1, le=1000, description="So many judged pictures on end must say yes.")
    confidence: float = Field(
        0.5, ge=0.5, lt=1, description="A verdict less sure than this, either way, counts as none [1]."
    )
    every: int = Field(1, ge=1, le=1000, description="Judge every so many control steps, and when the time is up.")
    delay: int = Field(
        0,
        ge=0,
        le=1000,
        description="Judge in the background, and use a verdict exactly so many control steps after its picture, so "
        "that a run can be repeated [control steps]; 0 waits for it.",
    )
    progress: float = Field(4.0, ge=0, le=1000, description="Paid for the way from progress 0 to 1, both ways.")
    bonus: float = Field(2.0, ge=0, le=1000, description="Paid when the task is solved.")
    step_cost: float = Field(0.01, ge=0, le=10, description="Charged every control step.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.release is not None and self.release > self.threshold:
            raise ValueError(f"release = {self.release} must not be above threshold = {self.threshold}")
        return self


class Patience:
    """When many verdicts make one: the streak of pictures that say yes, in each environment.

    A picture says yes from `threshold` on; within a streak it says no only below `release` (hysteresis). One that is
    unsure, or that was not judged, neither prolongs a streak nor ends it.

    Args:
        options: The thresholds.
        num_envs: Number of environments.
    """

    def __init__(self, options: FrameOptions, num_envs: int) -> None:
        self.options, self.streak = options, np.zeros(num_envs, np.int64)

    def says(self, probability: NDArray[np.float64], streak: NDArray[np.int64] | int = 0) -> NDArray[np.float64]:
        """What pictures say: 1 yes, 0 no, nan nothing; each by itself unless there is a streak. Shape (n,)."""
        options = self.options
        sure = np.maximum(probability, 1 - probability) >= options.confidence
        low = options.threshold if options.release is None else options.release
        yes = probability >= np.where(np.asarray(streak) > 0, low, options.threshold)
        return np.where(sure, yes.astype(float), np.nan)

    def update(self, envs: NDArray[np.intp], probability: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Takes one more picture of these environments; whether the task is solved there. Shape (len(envs),)."""
        before = self.streak[envs]
        said = self.says(probability, before)
        self.streak[envs] = np.select([said == 1, said == 0], [before + 1, 0], before)
        return np.asarray((said == 1) & (self.streak[envs] >= self.options.hold))


@dataclass(slots=True)
class _Look:
    """Pictures on their way through a detector: whose, when their verdicts are due, and what came of them."""

    envs: NDArray[np.intp]
    due: int
    first: bool
    waiting: NDArray[np.bool_]
    verdict: Future[Judgement] | Judgement

    def judgement(self) -> Judgement:
        if isinstance(self.verdict, Future):
            self.verdict = self.verdict.result()
        return self.verdict


class FrameDetector(RewardDetector):
    """Judges pictures; the rest, from cadence to reward, is done here.

    Reward per control step, with p the progress of the last picture that was judged, see `FrameOptions`::

        reward = progress (p' - p) + bonus solved - step_cost

    The difference of a potential changes no optimal policy (Ng et al., "Policy invariance under reward
    transformations", 1999), and a wrong p can be cashed in once at most. `judge` is called for all environments at
    once; with a `delay` on a thread of its own. Verdicts of episodes that are over are dropped.
    """

    Options: ClassVar[type[RewardOptions]] = FrameOptions
    trained: ClassVar[str] = "model"
    """The key of its options that names the file which `fit` writes."""
    options: FrameOptions

    def __init__(self, options: RewardOptions) -> None:
        super().__init__(options)
        self._clock = 0
        self._looks: deque[_Look] = deque()
        self._thread: ThreadPoolExecutor | None = None
        self._judged, self._unsure, self._seconds = 0, 0, 0.0
        self._make_room(0)

    @abstractmethod
    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Judges pictures, each by itself.

        Args:
            frames: uint8. Shape (n, H, W, 3).
            task: The task in English.
        """

    @classmethod
    def fit(
        cls,
        options: Any,
        training: LabelledFrames,
        validation: LabelledFrames,
        out: Path,
        *,
        seed: int,
        on_progress: OnProgress = lambda done, total: None,
    ) -> dict[str, Any]:
        """Trains what a table of these options loads, calibrates it, and writes it to a file.

        Args:
            options: Of this detector; the key that names the file does not count.
            training: To fit weights to.
            validation: To choose and calibrate by; of other episodes.
            out: The file.
            seed: Of everything.
            on_progress: Called as training goes on.

        Returns:
            What is worth knowing of the training; JSON-ready.

        Raises:
            NotTrainable: There is nothing to train.
        """
        raise NotTrainable(cls.__name__)

    @classmethod
    def note(cls, path: Path, about: dict[str, Any]) -> None:
        """Writes into a file of `fit` what it was trained on and what it is worth, if the file has room for that.

        Args:
            path: The file.
            about: JSON-ready; with ``task``, ``axes``, ``held_out_axes`` and ``tests`` among others.
        """
        del path, about

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_], task: str = "") -> None:
        """Episodes begin: forgets what was there, and looks where progress starts."""
        if len(self._age) != len(frames):
            self._make_room(len(frames))
        for look in self._looks:
            look.waiting &= ~starting[look.envs]
        self._age[starting], self._patience.streak[starting], self._progress[starting] = 0, 0, np.nan
        if self.options.progress:
            self._look(frames, np.flatnonzero(starting), task, first=True)

    def score(self, step: Step) -> Score:
        """Looks where it is time, and pays for the verdicts that are due."""
        n = len(step.frames)
        if len(self._age) != n:
            self._make_room(n)
        self._clock += 1
        self._age += 1
        ending = np.zeros(n, bool) if step.ending is None else step.ending
        self._look(step.frames, np.flatnonzero((self._age % self.options.every == 0) | ending), step.task)
        reward, success = np.full(n, -self.options.step_cost), np.zeros(n, bool)
        for look in self._looks:
            chosen = look.waiting & ((look.due <= self._clock) | ending[look.envs])
            if chosen.any():
                look.waiting &= ~chosen
                self._pay(look, chosen, reward, success)
        self._looks = deque(look for look in self._looks if look.waiting.any())
        return Score(reward + self.options.bonus * success, success)

    def verdict(self, step: Step, ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What the last pictures say by themselves, without patience."""
        found = self.judged(step.frames[ended], step.task)
        said = self._patience.says(found.probability)
        self._why |= {int(env): why for env, why in zip(np.flatnonzero(ended), found.reasons, strict=False)}
        yes: NDArray[np.bool_] = said == 1
        return yes

    def _pay(
        self, look: _Look, chosen: NDArray[np.bool_], reward: NDArray[np.float64], success: NDArray[np.bool_]
    ) -> None:
        found, envs = look.judgement(), look.envs[chosen]
        after, before = found.progress[chosen], self._progress[envs]
        reward[envs] += self.options.progress * np.nan_to_num(after - before)
        self._progress[envs] = np.where(np.isnan(after), before, after)
        self._why |= {int(env): why for env, why in zip(look.envs, found.reasons, strict=False)}
        if not look.first:
            success[envs] |= self._patience.update(envs, found.probability[chosen])

    def _look(self, frames: NDArray[np.uint8], envs: NDArray[np.intp], task: str, *, first: bool = False) -> None:
        if not len(envs):
            return
        seen = frames[envs]
        verdict: Future[Judgement] | Judgement
        if self.options.delay:
            self._thread = self._thread or ThreadPoolExecutor(1, type(self).__name__)
            verdict = self._thread.submit(self.judged, seen, task)
        else:
            verdict = self.judged(seen, task)
        self._looks.append(_Look(envs, self._clock + self.options.delay, first, np.ones(len(envs), bool), verdict))

    def judged(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """`judge`, counted and timed, for those who want nothing else of a detector."""
        begun = time.perf_counter()
        found = self.judge(frames, task)
        self._seconds += time.perf_counter() - begun
        self._judged += len(frames)
        self._unsure += int(np.isnan(self._patience.says(found.probability)).sum())
        return found

    def _make_room(self, n: int) -> None:
        self._age, self._patience = np.zeros(n, np.int64), Patience(self.options, n)
        self._progress: NDArray[np.float64] = np.full(n, np.nan)
        self._why = dict[int, str]()
        self._looks.clear()

    def reasons(self) -> tuple[str, ...]:
        """Why each environment's last judged picture was judged so."""
        return tuple(self._why.get(env, "") for env in range(len(self._age)))

    def scalars(self) -> dict[str, float]:
        """Pictures judged, milliseconds for each, and the share that it was unsure about."""
        n = max(1, self._judged)
        return {
            "frames": self._judged,
            "ms_per_frame": 1000 * self._seconds / n,
            "unsure": self._unsure / n,
        }

    def close(self) -> None:
        """Ends the thread that judges, after what it is at."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None

    def state_dict(self) -> dict[str, Any]:
        """Streaks, progress, and pictures on their way, which are waited for."""
        looks = [(o.envs.copy(), o.due, o.first, o.waiting.copy(), o.judgement()) for o in self._looks]
        arrays = {"age": self._age, "streak": self._patience.streak, "progress": self._progress}
        counts = {"judged": self._judged, "unsure": self._unsure, "seconds": self._seconds}
        own = {"clock": self._clock, "looks": looks, "why": dict(self._why), **counts}
        return own | {name: array.copy() for name, array in arrays.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._make_room(len(state["age"]))
        self._clock, self._why = state["clock"], dict(state["why"])
        self._judged, self._unsure, self._seconds = state["judged"], state["unsure"], state["seconds"]
        self._age, self._patience.streak, self._progress = state["age"], state["streak"], state["progress"]
        self._looks.extend(_Look(*look) for look in state["looks"])
