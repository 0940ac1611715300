"""Words for perturbations, among those that a bank has a video for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from adversarl.types import Perturbation
from adversarl_odyssey.bank.store import Bank
from adversarl_odyssey.wording import SIMULATED, Wording

Missing = Literal["error", "fewer", "nominal"]


def rounded(perturbation: Perturbation, levels: Sequence[float]) -> Perturbation:
    """The same at the nearest of the levels and 0, the higher one of two that are as near."""
    nearest = min((0.0, *levels), key=lambda level: (abs(level - perturbation.intensity), -level))
    return replace(perturbation, intensity=nearest, onset=0, duration=None)


def canonical(
    wording: Wording, perturbations: Iterable[Perturbation], levels: Sequence[float], *, valued: bool
) -> list[tuple[Perturbation, str]]:
    """What can be seen of perturbations at a bank's levels, in an order that does not depend on who asks.

    Args:
        wording: Describes them.
        perturbations: What is in force.
        levels: The bank's.
        valued: Whether values that were asked for are kept; otherwise every axis has one look at each level.
    """
    seen = list[tuple[Perturbation, str]]()
    for perturbation in perturbations:
        value = perturbation.value if valued else None
        plain = rounded(replace(perturbation, seed=0, value=value), levels)
        text = wording.describe(plain)
        if text:
            seen.append((plain, text))
    return sorted(seen, key=lambda pair: (pair[0].axis, pair[0].target or "", pair[1]))


def joined(seen: Iterable[tuple[Perturbation, str]]) -> str:
    """The sentences of `canonical` as one text."""
    return " ".join(text for _, text in seen)


def complete(scene: str, conditions: str) -> str:
    """The prompt of a world under conditions: what `Script.prompt` is made of."""
    return " ".join(f"{scene} {conditions}".split())


class BankWording(Wording):
    """Finds words that the bank has a video for.

    In this order: the words that a curriculum used; a description at the bank's levels, with the values that were asked
    for; the same with the bank's own values; and what `missing` says.

    Args:
        bank: The bank.
        scene: The nominal world.
        portrait: Whether its videos are upright.
        missing: ``fewer`` leaves the weakest conditions out until there is a video; otherwise the words for all are
            given, with which the source does what it has to.
    """

    def __init__(self, bank: Bank, scene: str, *, portrait: bool, missing: Missing) -> None:
        super().__init__(silent=SIMULATED)
        self._bank, self._scene, self._portrait, self._choice = bank, scene, portrait, missing
        self.left_out = 0
        """Times that conditions were left out."""

    def conditions(self, perturbations: Iterable[Perturbation]) -> str:
        """Sentences for what is in force; empty where nothing of it can be seen."""
        asked = tuple(perturbations)
        for text in (super().conditions(asked), *self._rounded(asked)):
            if self._has(text):
                return text
        if self._choice == "fewer":
            self.left_out += 1
            return next(filter(self._has, self._fewer(asked)), "")
        return joined(canonical(self, asked, self._bank.levels, valued=True))

    def _rounded(self, asked: Sequence[Perturbation]) -> Iterator[str]:
        for valued in (True, False):
            yield joined(canonical(self, asked, self._bank.levels, valued=valued))

    def _fewer(self, asked: Sequence[Perturbation]) -> Iterator[str]:
        left = canonical(self, asked, self._bank.levels, valued=False)
        while left:
            weakest = min(range(len(left)), key=lambda place: left[place][0].intensity)
            del left[weakest]
            yield joined(left)

    def _has(self, text: str) -> bool:
        return self._bank.find(complete(self._scene, text), portrait=self._portrait) is not None
