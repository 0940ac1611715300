"""Kinds of failure in English."""

from __future__ import annotations

from collections.abc import Sequence

from adversarl.metrics import wilson
from adversarl.types import FailureKind

UNSURE = "unsure"
"""What a failure is called whose kind the classifier is not sure of; no world gives this name."""
PHRASES = {
    "never-reached": "never reached the object",
    "wrong-place": "closed the gripper in another place",
    "wrong-object": "lifted another object",
    "missed": "reached the object, never lifted it",
    "dropped": "dropped the object",
    "held-too-low": "held the object, too low",
    "too-slow": "was still at it when time was over",
    "beside": "put it down beside the goal",
    "not-released": "did not let go",
    "stuck": "got stuck on the way in",
    "spilled": "spilled too much",
    "not-poured": "never tilted the cup",
    "not-taken": "the second arm did not take it",
    "near-miss": "came near and stopped short",
    "left-again": "was there and left again",
    UNSURE: "the classifier is not sure",
}
"""What went wrong, as the end of a sentence; other names are said with spaces for hyphens."""


def kinds_of(labels: Sequence[str], by: str = "") -> tuple[FailureKind, ...]:
    """Shares of the kinds among failures, most frequent first, by name where equal.

    Args:
        labels: The kind of each failure.
        by: Who said so, if that is to be told, such as ``labelled by the simulator``.
    """
    counts = sorted(((labels.count(name), name) for name in set(labels)), key=lambda pair: (-pair[0], pair[1]))
    return tuple(_kind(name, count, len(labels), by) for count, name in counts)


def _kind(name: str, count: int, total: int, by: str) -> FailureKind:
    share = wilson(count, total)
    interval = f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
    said = PHRASES.get(name, name.replace("-", " "))
    sentence = f"{interval} of {total} failure{'s'[: total != 1]}: {said}"
    return FailureKind(name, share, sentence + (f" ({by})" if by else ""))
