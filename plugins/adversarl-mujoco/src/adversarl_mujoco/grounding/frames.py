"""What a clause asks for: which axes, how strongly, with which value and target, and which of its words remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adversarl.types import Axis, Perturbation, Value
from adversarl_mujoco.grounding.clauses import NEGATIONS, Clause
from adversarl_mujoco.grounding.lexicon import Entry, Frame, Lexicon
from adversarl_mujoco.grounding.matches import Match, matching, undone
from adversarl_mujoco.grounding.quantities import Unfit, intensity_of
from adversarl_mujoco.grounding.tokens import Item

EXPANDED = frozenset({"table", "object", "background", "robot", "floor"})
"""What ``everything`` has a colour and a texture."""


@dataclass(frozen=True)
class Reading:
    """What a clause was taken for; `Grounding` has the same fields."""

    perturbations: tuple[Perturbation, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    not_understood: tuple[str, ...] = ()
    restore: bool = False

    @property
    def complete(self) -> bool:
        """Whether every word was understood and asks for something."""
        return not self.not_understood and bool(self.perturbations or self.restore)


def read(clause: Clause, lexicon: Lexicon, axes: Mapping[str, Axis], *, loose: bool = False) -> Reading:
    """Understands one clause as far as possible.

    Args:
        clause: The clause.
        lexicon: What words stand for.
        axes: Axes that may be asked for, by name.
        loose: Whether a property without a thing (``random colors``) means that of all surfaces.
    """
    if clause.excluded:
        words = " ".join(item.words for item in clause.items if not item.unknown)
        return Reading(understood=((words, "not asked for"),), not_understood=_unknown(clause))
    atoms = clause.atoms | {f"unit {item.quantity.unit}" for item in clause.items if item.quantity}
    if ("everything" in atoms and atoms & {"color", "texture"}) or (loose and _bare(clause)):
        atoms |= EXPANDED
    if (
        atoms & NEGATIONS
        and ("everything" in atoms or atoms & {"undo", "not"})
        and not atoms - NEGATIONS - EXPANDED - {"everything"}
        and not clause.atoms & EXPANDED
        and not (atoms == {"not"} and len(clause.items) == 1)  # a mere "no"
    ):
        return _restore(clause)
    matches = undone(atoms, lexicon) or matching(clause, atoms, lexicon) or _all_axes(clause, axes)
    # Only now, so that another axis never answers for one that this world does not have.
    return _resolve(clause, [match for match in matches if match.frame.axis in axes], axes, lexicon)


def _bare(clause: Clause) -> bool:
    """Whether it is of colours and textures in general: it names no thing, no colour and no pattern."""
    named = any(item.entry and item.entry.value is not None for item in clause.items)
    return not named and bool(clause.atoms) and clause.atoms <= {"color", "texture"}


def _restore(clause: Clause) -> Reading:
    words = " ".join(item.words for item in clause.items if item.atoms)
    return Reading(understood=((words, "back to nominal"),), not_understood=_unknown(clause), restore=True)


def _unknown(clause: Clause) -> tuple[str, ...]:
    return tuple(item.words for item in clause.items if item.unknown or item.quantity)


def _all_axes(clause: Clause, axes: Mapping[str, Axis]) -> list[Match]:
    """``randomize everything``."""
    if clause.atoms != {"everything"} or clause.unknown:
        return []
    return [Match(Frame(axis, ()), clause.atoms | EXPANDED) for axis in axes]


def _resolve(clause: Clause, matches: Sequence[Match], axes: Mapping[str, Axis], lexicon: Lexicon) -> Reading:
    explained = _explained(matches) | lexicon.idle
    left = {i for i, item in enumerate(clause.items) if _left_over(item, explained, lexicon)}
    perturbations, understood = [], []
    reasons: dict[int, str] = {}
    for match in matches:
        meant = _perturbation(clause, match, axes[match.frame.axis], lexicon)
        left = (left - meant.used) | meant.extra
        reasons |= meant.reasons
        perturbations += meant.perturbations
        understood += [(_words(clause, match), meaning(perturbation)) for perturbation in meant.perturbations]
    words = tuple(_with_reason(clause.items[i].words, reasons.get(i)) for i in sorted(left))
    if any(_decisive(clause.items[i], matches) for i in left):
        return Reading(not_understood=words)  # Better nothing than another strength than asked for.
    if left and all(match.frame.bare for match in matches):
        return Reading(not_understood=tuple(item.words for item in clause.items if item.atoms or item.unknown))
    return Reading(tuple(perturbations), tuple(understood), words)


def _decisive(item: Item, matches: Sequence[Match]) -> bool:
    """Whether it is an amount; a number word such as ``single`` may be none."""
    amount = item.quantity is not None and (item.quantity.unit != "" or not item.words.isalpha())
    return amount or (item.quantity is not None and any(match.frame.count for match in matches))


def _with_reason(words: str, reason: str | None) -> str:
    return f"{words} ({reason})" if reason else words


def _explained(matches: Sequence[Match]) -> frozenset[str]:
    """Atoms that matches explain; a word for everything is explained by any of the surfaces."""
    atoms: frozenset[str] = frozenset().union(*(match.atoms for match in matches))
    if matches:
        atoms |= NEGATIONS
    return atoms | {"everything"} if atoms & EXPANDED else atoms


def _left_over(item: Item, explained: frozenset[str], lexicon: Lexicon) -> bool:
    if item.unknown or item.quantity:
        return True
    if item.entry and item.entry.degree is not None and lexicon.soft.issuperset(item.atoms):
        return False  # "strong" says how much, where nothing can be strong.
    return bool(item.atoms) and not explained.intersection(item.atoms)


def _words(clause: Clause, match: Match) -> str:
    """The words of a clause that a match explains."""
    return " ".join(
        item.words
        for item in clause.items
        if item.quantity or (item.entry and (item.entry.degree is not None or match.atoms.intersection(item.atoms)))
    )


def meaning(perturbation: Perturbation) -> str:
    """A perturbation in a few words for listings."""
    value = perturbation.value
    shown = "" if value is None else f" {value if isinstance(value, str) else tuple(round(x, 3) for x in value)}"
    target = f" of {perturbation.target}" if perturbation.target else ""
    return f"{perturbation.axis}{target}{shown} at {100 * perturbation.intensity:.4g} %"


@dataclass(frozen=True)
class Meant:
    """What one match asks for.

    Attributes:
        perturbations: One for each target named.
        used: Indices of items whose quantity it used.
        extra: Indices of items whose value it has no use for.
        reasons: Why quantities could not be used, by the indices of their items.
    """

    perturbations: list[Perturbation]
    used: set[int]
    extra: set[int]
    reasons: dict[int, str]


def _perturbation(clause: Clause, match: Match, axis: Axis, lexicon: Lexicon) -> Meant:
    frame = match.frame
    value, extra = _value(clause, frame)
    intensity, value, used, reasons = _intensity(clause, frame, value, lexicon)
    negated = bool(clause.atoms & NEGATIONS) and not any(needs & NEGATIONS for needs in _met(clause, frame))
    if negated:
        intensity, value = 0.0, None
    one = Perturbation(frame.axis, intensity, None, value)
    targets = _targets(clause, axis, everywhere=negated)
    return Meant([replace(one, target=target) for target in targets], used, extra, reasons)


def understood_as(clause: Clause, axis: Axis, value: Value, lexicon: Lexicon) -> list[Perturbation]:
    """What a clause asks of an axis that its meaning, not a frame, chose: its words still give value and degree."""
    frames = [frame for frame in lexicon.frames if frame.axis == axis.name] or [Frame(axis.name, ())]
    said = next((found for found, _ in (_value(clause, frame) for frame in frames) if found is not None), None)
    negated = bool(clause.atoms & NEGATIONS)
    one = Perturbation(axis.name, 0.0 if negated else _degree(clause, frames[0], lexicon))
    value = None if negated else said if said is not None else value
    return [replace(one, target=target, value=value) for target in _targets(clause, axis)]


def _targets(clause: Clause, axis: Axis, *, everywhere: bool = False) -> list[str | None]:
    """Targets that are named; None stands for the default one, named or not.

    Args:
        clause: The clause.
        axis: Whose targets.
        everywhere: Whether none named means all, as where something is taken back.
    """
    named = [target for target in axis.targets if target in clause.atoms]
    every = "all" in clause.atoms
    if (every and "all" not in axis.targets) or (everywhere and (every or not named)):
        named = list(axis.targets)
    return [None if target == axis.targets[0] else target for target in named] or [None]


def _met(clause: Clause, frame: Frame) -> list[frozenset[str]]:
    return [needs for needs in frame.needs if needs <= clause.atoms]


def _value(clause: Clause, frame: Frame) -> tuple[Value, set[int]]:
    """The value that the words of a clause give, and the indices of words with another one."""
    if frame.value is not None:
        return frame.value, set()
    found: dict[int, Value] = {}
    for index, item in enumerate(clause.items):
        for atom in item.atoms:
            name = frame.values.get(atom)
            value = item.entry.value if name == "=" and item.entry else name
            if value is not None:
                found[index] = value
    different = list(dict.fromkeys(found.values()))
    if next(reversed(frame.values), "") == "color":
        different.sort(key=lambda value: isinstance(value, tuple))  # Names are listed before the colour.
    if frame.combine and different and all(isinstance(value, str) for value in different):
        return " ".join(str(value) for value in different), set()
    less = next(
        (frame.values[atom] for atom in ("low", "fewer") if atom in clause.atoms and atom in frame.values), None
    )
    if less in different:
        different.sort(key=lambda value: value != less)  # "Less strong" is weak.
    first = different[0] if different else None
    return first, {index for index, value in found.items() if value != first}


def _intensity(
    clause: Clause, frame: Frame, value: Value, lexicon: Lexicon
) -> tuple[float, Value, set[int], dict[int, str]]:
    """Intensity, the value as a quantity may decide it, the quantities used, and why others could not be."""
    reasons = {}
    for index, item in enumerate(clause.items):
        if item.quantity:
            try:
                return (*intensity_of(item.quantity, frame, value), {index}, {})
            except Unfit as reason:
                reasons[index] = str(reason)
    if frame.intensity is not None:
        return frame.intensity, value, set(), reasons
    return _degree(clause, frame, lexicon), value, set(), reasons


def _degree(clause: Clause, frame: Frame, lexicon: Lexicon) -> float:
    """The adverb's degree, else the one a word carries, else its count, else the default."""
    entries = [item.entry for item in clause.items if item.entry]
    adverbs = [e.degree for e in entries if e.degree is not None and not e.atoms]
    inherent = [e.degree for e in entries if e.degree is not None and e.atoms and not _names_value(e, frame, lexicon)]
    counts = [e.count for e in entries if e.count is not None]
    if adverbs or inherent:
        return max(adverbs or inherent)
    if frame.count and counts:
        return counts[0] / frame.count
    return frame.default


def _names_value(entry: Entry, frame: Frame, lexicon: Lexicon) -> bool:
    """Whether a word such as ``heavy`` names a value here (a weight) rather than a degree (``heavy fog``)."""
    return any(atom in lexicon.soft and atom in frame.values for atom in entry.atoms)
