"""Checks of reward detectors that look at pictures; others pass them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import FrameDetector, Judgement, Patience
from adversarl.interfaces.reward import RewardDetector, RewardOptions
from adversarl.testing.films import Film, detector_of, film
from adversarl.testing.kit import conformance, demand
from adversarl.testing.reward_checks import demand_resumable

ROUNDING = 1e-4
"""How much a probability may depend on the pictures beside it, as sums in another order do [1]."""


@conformance("reward")
def a_picture_on_its_way_survives_a_resume(cls: type[RewardDetector], options: RewardOptions) -> None:
    """The same in the middle of a delayed look, for detectors that can judge in the background."""
    if issubclass(cls, FrameDetector):
        demand_resumable(cls, options.model_copy(update={"delay": 4, "every": 3, "hold": 1}))


def _frames_and(detector: RewardDetector, shown: Film) -> tuple[FrameDetector, NDArray[np.uint8]] | None:
    """A detector that looks at pictures, and some that show how a task is solved; None if it is no such detector."""
    if not isinstance(detector, FrameDetector):
        return None
    return detector, np.concatenate([shown.first, *(step.frames for step in shown.steps[::4])])


@conformance("reward")
def judgements_have_one_row_per_picture(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Probability and progress lie in [0, 1] or are nan, one each; reasons are texts, one each or none."""
    shown = film(2)
    with detector_of(cls, options) as detector:
        if (both := _frames_and(detector, shown)) is None:
            return
        judge, frames = both[0].judge, both[1]
        for n in (1, len(frames)):
            copy = frames[:n].copy()
            _demand_judgement(judge(copy, shown.task), n)
            demand(np.array_equal(copy, frames[:n]), "judge() changed the pictures", "Work on a copy")


def _demand_judgement(found: Judgement, n: int) -> None:
    for name in ("probability", "progress"):
        values = np.asarray(getattr(found, name))
        demand(
            values.shape == (n,) and np.all(np.isnan(values) | ((values >= 0) & (values <= 1))),
            f"the {name} of {n} picture(s) is {values!r}",
            f"Return numbers in [0, 1], or nan, of shape ({n},)",
        )
    demand(
        len(found.reasons) in (0, n) and all(isinstance(reason, str) for reason in found.reasons),
        f"the reasons for {n} picture(s) are {found.reasons!r}",
        "Return one string each, or an empty tuple",
    )


@conformance("reward")
def each_picture_is_judged_by_itself(cls: type[RewardDetector], options: RewardOptions) -> None:
    """A picture means the same alone, among others, and a second time."""
    shown = film(2)
    with detector_of(cls, options) as detector:
        if (both := _frames_and(detector, shown)) is None:
            return
        judge, frames = both[0].judge, both[1]
        together = judge(frames, shown.task)
        alone = [judge(frames[i : i + 1], shown.task) for i in range(len(frames))]
        _demand_same(together, alone, "a picture means something else beside others", "Use no statistics of the batch")
        again = [judge(frames, shown.task)]
        _demand_same(together, again, "a picture means something else the second time", "Keep no memory in judge()")


def _demand_same(together: Judgement, parts: Sequence[Judgement], what: str, mend: str) -> None:
    for name in ("probability", "progress"):
        values = np.concatenate([np.asarray(getattr(part, name)) for part in parts])
        same = np.allclose(getattr(together, name), values, rtol=0, atol=ROUNDING, equal_nan=True)
        demand(same, f"{what} ({name})", mend)


@conformance("reward")
def the_last_picture_counts(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Where the time is up, the last picture is judged and paid for, whatever cadence and delay say."""
    shown = film(6)
    far = options.model_copy(update={"every": 1000, "delay": 1000, "hold": 1})
    with detector_of(cls, far) as detector:
        if not isinstance(detector, FrameDetector):
            return
        detector.begin(shown.first, shown.everywhere, shown.task)
        for step in shown.steps:
            score = detector.score(step)
        before, after = (detector.judge(frames, shown.task) for frames in (shown.first, shown.steps[-1].frames))
        solved = Patience(detector.options, 0).says(after.probability, np.zeros(6, np.int64)) == 1
        demand(
            np.array_equal(score.success, solved),
            f"at the end {int(score.success.sum())} of {int(solved.sum())} episodes that look solved are",
            "Judge where step.ending, and pay at once",
        )
        pay = detector.options.progress * np.nan_to_num(after.progress - before.progress)
        pay += detector.options.bonus * solved - detector.options.step_cost
        demand(
            np.allclose(score.reward, pay, rtol=0, atol=20 * ROUNDING),
            f"the last reward is {score.reward!r}, not {pay!r}",
            "Pay for the progress from the first picture to the last",
        )


@conformance("reward")
def an_episode_begins_afresh(cls: type[RewardDetector], options: RewardOptions) -> None:
    """What looks at pictures scores an episode alike, whatever was before it: `begin` forgets what is on its way."""
    if not issubclass(cls, FrameDetector):
        return
    before, shown = film(2, seed=50), film(2)
    late = options.model_copy(update={"delay": 5, "every": 2})
    with detector_of(cls, late) as fresh, detector_of(cls, late) as used:
        used.begin(before.first, before.everywhere, before.task)
        for step in before.steps:
            used.score(replace(step, ending=None))
        for detector in (fresh, used):
            detector.begin(shown.first, shown.everywhere, shown.task)
        for step in shown.steps:
            here, there = fresh.score(step), used.score(step)
            alike = np.allclose(here.reward, there.reward, rtol=0, atol=20 * ROUNDING)
            alike &= np.array_equal(here.success, there.success)
            demand(alike, "an episode is scored differently after another one", "Forget in begin() what was there")
