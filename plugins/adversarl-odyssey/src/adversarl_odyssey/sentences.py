"""Actions as sentences, and back: what a policy wants the robot to do, in words that a world model can follow."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pair = tuple[str, str]
"""What the robot does at -1 and at +1 of one dimension of the action, such as (moves down, moves up)."""
Vocabulary = Sequence[Pair]

VOCABULARY: tuple[Pair, ...] = (
    ("moves away from the camera", "moves towards the camera"),
    ("moves to the left", "moves to the right"),
    ("moves down", "moves up"),
    ("opens its gripper", "closes its gripper"),
)
"""Displacement along the world's x (towards the camera), y (to the right in the picture), z (up), and the gripper."""
SUBJECT = "The robot arm"
STILL = "holds still"
SLIGHTLY = "slightly"
LARGE = 0.7
"""Movements below this share of the largest are called slight [1]."""
SMALL = 0.4
"""What a slight movement is taken for [1]."""


def is_movement(pair: Pair) -> bool:
    """Whether it stops when it is no longer said.

    Phrases that begin with the same verb, such as "moves up" and "moves down", are movements. Any other pair, such as
    "opens its gripper" and "closes its gripper", is a state, which lasts until the other one is said.
    """
    return _verb(pair[0]) == _verb(pair[1])


def quantize(
    action: ArrayLike, dead_zone: float, vocabulary: Vocabulary = VOCABULARY, before: ArrayLike | None = None
) -> NDArray[np.float32]:
    """The action that words can carry: 0, slightly or fully for movements, one of both ends for states.

    Args:
        action: In [-1, 1]. Shape (a,).
        dead_zone: Numbers of a smaller magnitude mean nothing; a state then stays as it is.
        vocabulary: Phrases of each dimension, a of them.
        before: What the last action was quantized to, None for none. Shape (a,).
    """
    wanted = np.nan_to_num(np.asarray(action, np.float32))
    size, sign = np.abs(wanted), np.sign(wanted)
    size = np.where(size < dead_zone, 0, np.where(size < LARGE, SMALL, 1))
    moves = np.array([is_movement(pair) for pair in vocabulary], bool)
    kept = np.full(len(moves), -1.0) if before is None else np.where(np.asarray(before) > 0, 1.0, -1.0)
    return np.where(moves, sign * size, np.where(size > 0, sign, kept)).astype(np.float32)


def encode(action: ArrayLike, vocabulary: Vocabulary = VOCABULARY) -> str:
    """The sentence for a quantized action: "The robot arm moves slightly to the left and opens its gripper." is one.

    States are always said and movements only where they are not 0, so that each sentence stands alone.

    Args:
        action: What `quantize` gave. Shape (a,).
        vocabulary: Phrases of each dimension, a of them.
    """
    told = [float(number) for number in np.asarray(action, np.float32)]
    moves = [_said(pair, number) for pair, number in zip(vocabulary, told, strict=True) if is_movement(pair) and number]
    states = [pair[number > 0] for pair, number in zip(vocabulary, told, strict=True) if not is_movement(pair)]
    *parts, last = [*(moves or [STILL]), *states]
    return f"{SUBJECT} {', '.join(parts)}{' and ' * bool(parts)}{last}."


def decode(text: str, vocabulary: Vocabulary = VOCABULARY) -> NDArray[np.float32] | None:
    """The action behind a sentence of `encode`; None for any other text. Shape (a,)."""
    head, said = f"{SUBJECT.lower()} ", text.strip().lower()
    if not (said.startswith(head) and said.endswith(".")):
        return None
    known = _meanings(vocabulary)
    parts = _parts(said[len(head) : -1], known)
    if parts is None:
        return None
    action = np.zeros(len(vocabulary), np.float32)
    for dimension, number in (known[part] for part in parts if part != STILL):
        action[dimension] = number
    return action


def _parts(listed: str, known: Container[str]) -> list[str] | None:
    """The phrases of "a, b and c", which may have an "and" of their own; None if one of them is not known."""
    *parts, last = listed.split(", ")
    words = last.split(" and ")
    for cut in range(len(words)):
        ends = [" and ".join(words[:cut]), " and ".join(words[cut:])] if cut else [last]
        if all(part in known for part in (*parts, *ends)):
            return [*parts, *ends]
    return None


def _verb(phrase: str) -> str:
    return phrase.split(" ", 1)[0]


def _said(pair: Pair, number: float) -> str:
    phrase = pair[number > 0]
    verb, _, rest = phrase.partition(" ")
    return phrase if abs(number) >= LARGE else f"{verb} {SLIGHTLY} {rest}".rstrip()


def _meanings(vocabulary: Vocabulary) -> dict[str, tuple[int, float]]:
    """All phrases of a vocabulary with their dimension and number."""
    known = {STILL: (0, 0.0)}
    for dimension, pair in enumerate(vocabulary):
        sizes = (1.0, SMALL) if is_movement(pair) else (1.0,)
        known |= {_phrase(pair, sign * size).lower(): (dimension, sign * size) for sign in (-1, 1) for size in sizes}
    return known


def _phrase(pair: Pair, number: float) -> str:
    return _said(pair, number) if is_movement(pair) else pair[number > 0]


class ActionEncoder:
    """Says what one robot does, when it is worth saying.

    A sentence equal to the last one is not repeated, and sentences are at least 1 / `frequency` apart; what was held
    back is not lost, since the next action is compared with what was said last.

    Args:
        vocabulary: Phrases of each dimension of the action.
        dead_zone: Numbers of a smaller magnitude mean nothing, in [0, 1).
        frequency: Sentences per second at most [Hz].

    Attributes:
        told: What the robot was last told, quantized; zeros before the first sentence. Shape (a,).
    """

    def __init__(self, vocabulary: Vocabulary, dead_zone: float, frequency: float) -> None:
        self._vocabulary, self._dead_zone, self._pause_s = vocabulary, dead_zone, 1.0 / frequency
        self.reset()

    def reset(self) -> None:
        """A new world begins, in which nothing has been said."""
        self.told: NDArray[np.float32] = np.zeros(len(self._vocabulary), np.float32)
        self._last, self._since = "", -float("inf")

    def say(self, action: ArrayLike, now: float) -> str | None:
        """The sentence to send, or None where nothing new is to be said or it is too early.

        Args:
            action: In [-1, 1]. Shape (a,).
            now: A clock [s].
        """
        if now - self._since < self._pause_s:
            return None
        wanted = quantize(action, self._dead_zone, self._vocabulary, self.told)
        sentence = encode(wanted, self._vocabulary)
        if sentence == self._last:
            return None
        self.told, self._last, self._since = wanted, sentence, now
        return sentence
