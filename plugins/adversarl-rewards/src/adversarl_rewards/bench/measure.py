"""Asks detectors about frames."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import FrameDetector, Judgement, OnProgress
from adversarl.errors import AdversarlError
from adversarl.labelled import LabelledFrames
from adversarl_rewards.bench.errors import NoAnswer

BATCH = 16
"""Frames asked about at once."""
SINGLE = 8
"""Frames at the beginning that are asked about one by one, so that one alone is timed too."""
INTERRUPTED = "interrupted"


@dataclass(slots=True)
class Asked:
    """What came of asking a detector.

    Attributes:
        rows: Frames that it was asked about. Shape (n,).
        found: What it made of them.
        stopped: Why it was not asked about the others; empty if there are none.
        cost_usd: What that cost.
        paid: Whether frames cost anything at all.
        ms: Milliseconds a frame of each call, by frames of the call.
    """

    rows: NDArray[np.intp]
    found: Judgement
    stopped: str
    cost_usd: float
    paid: bool
    ms: dict[int, list[float]] = field(default_factory=dict)


def ask(detector: FrameDetector, truth: LabelledFrames, order: NDArray[np.intp], on_progress: OnProgress) -> Asked:
    """Asks about frames in an order, until all are judged, the detector must not go on, or the user stops it.

    Args:
        detector: Who.
        truth: Frames; their labels are not shown.
        order: Which of them. Shape (n,).
        on_progress: Called after every call.

    Raises:
        NoAnswer: It must not go on before it has judged any.
        AdversarlError: It cannot judge even the first one.
    """
    before, stopped = cost(detector), ""
    answers, ms = list[Judgement](), dict[int, list[float]]()
    cuts = [*range(min(SINGLE, len(order))), *range(SINGLE, len(order), BATCH), len(order)]
    try:
        for begin, end in pairwise(cuts):
            frames, begun = truth.frames[order[begin:end]], time.perf_counter()
            answers.append(detector.judged(frames, truth.task))
            ms.setdefault(end - begin, []).append(1000 * (time.perf_counter() - begun) / (end - begin))
            on_progress(end, len(order))
            if detector.exhausted:
                break
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    except AdversarlError as error:
        if not answers:
            raise
        stopped = str(error)
    kept, found = _whole(answers, cut=bool(detector.exhausted))
    if detector.exhausted and not len(kept):
        raise NoAnswer(detector.exhausted)
    why = stopped or detector.exhausted
    return Asked(order[kept], found, why, cost(detector) - before, is_paid(detector), ms)


def _whole(answers: list[Judgement], *, cut: bool) -> tuple[NDArray[np.intp], Judgement]:
    """All answers as one; of a last call that was cut short those that came: one that did not is no abstention."""
    probability = np.concatenate([np.zeros(0), *(one.probability for one in answers)])
    progress = np.concatenate([np.zeros(0), *(one.progress for one in answers)])
    kept = np.arange(len(probability))
    if cut and answers:
        last = len(kept) - len(answers[-1].probability)
        kept = kept[(kept < last) | np.isfinite(probability)]
    return kept, Judgement(probability[kept], progress[kept])


def cost(detector: FrameDetector) -> float:
    """What a detector has cost so far [USD]; of one that is made of others, what they have."""
    costs = _costs(detector)
    return costs.get("cost_usd", sum(costs.values()))


def is_paid(detector: FrameDetector) -> bool:
    """Whether it is of a kind that costs."""
    return bool(_costs(detector))


def _costs(detector: FrameDetector) -> dict[str, float]:
    return {name: value for name, value in detector.scalars().items() if name.rpartition("/")[2] == "cost_usd"}
