"""Which perturbations are in force when, for one sub-environment and one episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adversarl.types import Perturbation, Proposal

NEVER = 2**31 - 1


@dataclass(slots=True)
class Entry:
    """A scheduled proposal: what it was grounded to, and at which step it took effect (None: not yet)."""

    proposal: Proposal
    perturbations: tuple[Perturbation, ...]
    not_understood: tuple[str, ...] = ()
    restore: bool = False
    took_effect: int | None = None

    @property
    def onset(self) -> int:
        """Control step at which it begins: an axis that only acts at a reset begins there, whatever was asked."""
        return min((p.onset for p in self.perturbations), default=self.proposal.onset)


@dataclass(slots=True)
class Schedule:
    """The entries of one episode, in the order they were proposed."""

    entries: list[Entry] = field(default_factory=list)

    def at(self, step: int) -> tuple[Perturbation, ...]:
        """What is in force at a control step of the episode; a prompt that says "back to normal" clears the rest."""
        active: dict[tuple[str, str | None], Perturbation] = {}
        for entry in sorted(self.entries, key=_in_turn):
            if entry.restore and entry.proposal.onset <= step:
                active.clear()
            active |= {(p.axis, p.target): p for p in at(step, entry.perturbations)}
        return tuple(active.values())

    def next_change(self, step: int) -> int:
        """The first control step after `step` at which something begins or ends; `NEVER` if nothing does."""
        times = [entry.proposal.onset for entry in self.entries if entry.proposal.onset > step]
        return min([*times, *(next_change(step, entry.perturbations) for entry in self.entries)], default=NEVER)

    def newly_effective(self, step: int) -> list[Entry]:
        """Entries whose onset has come, each returned once."""
        fresh = [e for e in self.entries if e.took_effect is None and e.onset <= step]
        for entry in fresh:
            entry.took_effect = step
        return fresh

    def experienced(self, length: int) -> tuple[Perturbation, ...]:
        """Everything that was in force at some time of an episode of `length` control steps, in that order.

        What a prompt that says "back to normal" ended has its duration cut to that.
        """
        lived = list[Perturbation]()
        for entry in sorted(self.entries, key=_in_turn):
            if entry.restore and entry.proposal.onset < length:
                lived = [cut for p in lived if (cut := _ending(p, entry.proposal.onset)) is not None]
            lived += [p for p in entry.perturbations if p.onset < length]
        return tuple(lived)


def _in_turn(entry: Entry) -> tuple[int, int]:
    """Of two prompts for one step, what acts at the reset comes first, as in the journal that `replay` reads."""
    return entry.proposal.onset, entry.onset


def at(step: int, perturbations: Sequence[Perturbation]) -> tuple[Perturbation, ...]:
    """Those that are in force at a control step by their onsets and durations; of one axis and target the last."""
    active = {
        (p.axis, p.target): p
        for p in perturbations
        if p.onset <= step and (p.duration is None or step < p.onset + p.duration)
    }
    return tuple(active.values())


def next_change(step: int, perturbations: Sequence[Perturbation]) -> int:
    """The first control step after `step` at which one of them begins or ends; `NEVER` if none does."""
    times = [p.onset for p in perturbations]
    times += [p.onset + p.duration for p in perturbations if p.duration is not None]
    return min((time for time in times if time > step), default=NEVER)


def _ending(perturbation: Perturbation, step: int) -> Perturbation | None:
    """The same perturbation ended at a control step at the latest; None if it then never was."""
    left = step - perturbation.onset
    if perturbation.duration is not None and perturbation.duration <= left:
        return perturbation
    return replace(perturbation, duration=left) if left > 0 else None
