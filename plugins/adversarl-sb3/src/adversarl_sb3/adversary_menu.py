"""What an adversary can ask for, as a discrete action space, and how it says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from adversarl.interfaces.curriculum import World
from adversarl.phrases import phrases_of, prompt_for
from adversarl.types import Axis, Perturbation, Proposal

TOGETHER = "all axes"
"""Name of the choice that varies every axis; no axis can have it, because axes are in kebab case."""

Action = tuple[int, int, int, int]
"""Indices into what is varied, its targets, intensities and onsets."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An action in words and numbers.

    Attributes:
        what: Name of an axis, or `TOGETHER`.
        target: One of the axis' targets; None where there are none, or only one.
        percent: Intensity [percent], in (0, 100].
        onset: Onset as a share of the time a success usually takes, in [0, 1).
    """

    what: str
    target: str | None
    percent: int
    onset: float

    def __str__(self) -> str:
        """Such as ``camera-position at 60 %``."""
        target = "" if self.target is None else f" of {self.target}"
        return f"{self.what}{target} at {self.percent} %"


class Menu:
    """All actions of an adversary: what to vary, on which target, how much, from when on.

    Args:
        world: Whose axes are meant; its grounding decides how a target is named.
        axes: Axes to choose from.
        step: Distance between two intensities [percent]; a divisor of 100.
        onsets: Onsets to choose from, as shares of the time a success usually takes.

    Attributes:
        names: What can be varied: the axes, and all of them together where there are several.
        space: Indices of what, target, intensity and onset.
        allowed: Which targets, intensities and onsets there are for each name, side by side as a policy's logits are.
            Shape (names, targets + intensities + onsets).
    """

    def __init__(self, world: World, axes: Sequence[Axis], step: int, onsets: Sequence[float]) -> None:
        self._world = world
        self._axes = {axis.name: axis for axis in axes}
        self._phrases = phrases_of(world, axes)
        self.names = (*self._axes, *((TOGETHER,) if len(axes) > 1 else ()))
        self.percents = tuple(range(step, 101, step))
        self.onsets = tuple(onsets)
        targets = max(max(1, len(axis.targets)) for axis in axes)
        self.space = spaces.MultiDiscrete([len(self.names), targets, len(self.percents), len(self.onsets)])
        self.allowed = np.array([self._allowed(name, targets) for name in self.names])
        self._forms = {(axis.name, target): self._form(axis, target) for axis in axes for target in axis.targets[1:]}

    def _allowed(self, name: str, targets: int) -> NDArray[np.bool_]:
        axis = self._axes.get(name)
        count = 1 if axis is None else max(1, len(axis.targets))
        waits = axis is None or axis.mid_episode
        of_targets = np.arange(targets) < count
        of_onsets = np.array([onset == 0 or waits for onset in self.onsets])
        return np.concatenate([of_targets, np.ones(len(self.percents), bool), of_onsets])

    def _form(self, axis: Axis, target: str) -> str | None:
        """A phrase that the world takes for exactly this axis and target; None where no usual form does."""
        phrase, plain = self._phrases[axis.name], target.replace("_", " ")
        forms = [f"{phrase} of the {plain}", f"{phrase} of the {plain} light", f"{phrase} of {plain} lights"]
        forms.append(phrase.replace(axis.targets[0].replace("_", " "), plain))
        for form in forms:
            grounding = self._world.ground(f"{form} at 50 %")
            meant = [(p.axis, p.target, p.intensity) for p in grounding.perturbations]
            if grounding.complete and meant == [(axis.name, target, 0.5)]:
                return form
        return None

    def choice(self, action: Action) -> Choice:
        """What an action means."""
        what, target, level, onset = action
        name = self.names[what]
        targets = self._axes[name].targets if name in self._axes else ()
        chosen = targets[target] if len(targets) > 1 else None
        return Choice(name, chosen, self.percents[level], self.onsets[onset])

    def proposal(self, choice: Choice, onset: int, why: str, rng: np.random.Generator) -> Proposal:
        """The prompt of a choice; a perturbation with a text where the world has no words for the target.

        Args:
            choice: What to ask for.
            onset: Control step at which it takes effect.
            why: Why it was chosen.
            rng: Draws what a perturbation without a prompt leaves open.
        """
        if choice.what == TOGETHER:
            return Proposal(prompt_for(dict.fromkeys(self._phrases, choice.percent), self._phrases), why, onset=onset)
        axis = self._axes[choice.what]
        if choice.target is None or choice.target == axis.targets[0]:
            return Proposal(f"{axis.phrase} at {choice.percent} %", why, onset=onset)
        form = self._forms[axis.name, choice.target]
        if form is not None:
            return Proposal(f"{form} at {choice.percent} %", why, onset=onset)
        change = Perturbation(axis.name, choice.percent / 100, choice.target, seed=int(rng.integers(2**31)))
        return Proposal(f"{axis.phrase}: {choice}", why, (change,), onset=onset)
