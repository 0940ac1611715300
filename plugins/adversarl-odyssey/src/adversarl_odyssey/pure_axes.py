"""What a world of words can vary, and which of it a sentence asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Grounding, Perturbation, Value
from adversarl_odyssey.wording import LEVELS, Wording, table

PROMPT = "prompt"
"""The axis that carries what no other one understands; its value is the sentence itself."""
UNSAID = 0.5
"""Intensity of a sentence that does not say how much."""
DEGREES = {
    "slightly": 0.25,
    "a bit": 0.25,
    "a little": 0.25,
    "somewhat": 0.25,
    "very": 0.75,
    "strongly": 0.75,
    "heavily": 0.75,
    "extremely": 1.0,
    "completely": 1.0,
    "totally": 1.0,
}
_PERCENT = re.compile(r"\b(?:at|by|to) (\d+(?:\.\d+)?) ?(?:%|percent\b)")
_RESTORE = re.compile(r"\b(back to normal|undo|restore|reset|as before|normal again)\b")
_ENDS = re.compile(r"[;!?\n]|\.(?=\s|$)")
_CLAUSES = re.compile(r",| and ")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("adversarl_odyssey") / "pure_axes.toml").read_text(encoding="utf-8"))


@cache
def all_axes() -> tuple[Axis, ...]:
    """Everything that words can ask for; `PROMPT` comes last."""
    found = [_axis(name, row) for name, row in _table().items()]
    return (*(axis for axis in found if axis.name != PROMPT), *(axis for axis in found if axis.name == PROMPT))


def _axis(name: str, row: dict[str, Any]) -> Axis:
    said = next(iter(table().axes[name].values()))
    return Axis(
        name=name,
        group="visual",
        summary=row["summary"],
        unit="words",
        nominal="as the scene says",
        bound=f'such as "{said[2]}"',
        source="ours: the words of `wordings.toml`; how much that is, the world model decides",
        phrase=row["phrase"],
        targets=tuple(row.get("targets", ())),
    )


def chosen(names: Sequence[str] | None) -> tuple[Axis, ...]:
    """The axes with these names, in this order; all of them where no names are given.

    Raises:
        PerturbationError: There is none of a name.
    """
    known = {axis.name: axis for axis in all_axes()}
    for name in names or ():
        if name not in known:
            raise PerturbationError("axis", name, known)
    return all_axes() if names is None else tuple(known[name] for name in dict.fromkeys(names))


def check(perturbation: Perturbation) -> None:
    """Raises PerturbationError for an axis or a target that words do not have; any value can be said."""
    known = {axis.name: axis for axis in all_axes()}
    axis = known.get(perturbation.axis)
    if axis is None:
        raise PerturbationError("axis", perturbation.axis, known)
    own = axis.name.startswith("object-") or axis.name == PROMPT
    if perturbation.target is not None and not own and perturbation.target not in axis.targets:
        raise PerturbationError(f"target of {axis.name}", perturbation.target, axis.targets)
    if perturbation.target == "":
        raise PerturbationError(f"target of {axis.name}", "", axis.targets)


def ground(text: str) -> Grounding:
    """What a sentence asks for. It is never refused: what no axis understands becomes one of `PROMPT`.

    A sentence of several clauses is taken apart only if each of them asks for something known.
    """
    perturbations, understood, rest = list[Perturbation](), list[tuple[str, str]](), list[str]()
    restore = False
    for sentence in filter(None, (part.strip() for part in _ENDS.split(text))):
        found = [_clause(clause) for clause in _CLAUSES.split(sentence) if clause.strip()]
        whole = _clause(sentence)
        if all(part is not None for part in found):
            asked = [p for part in found if part for p in part]
        elif whole is not None:
            asked = whole
        else:
            rest.append(sentence)
            understood.append((sentence, PROMPT))
            continue
        restore = restore or not asked or any(part == [] for part in found)
        perturbations += asked
        understood += [(sentence, f"{p.axis} at {100 * p.intensity:g} %") for p in asked] or [(sentence, "restore")]
    if rest:
        perturbations.append(Perturbation(PROMPT, 1.0, value=". ".join(rest) + "."))
    return Grounding(text, tuple(_last(perturbations)), tuple(understood), (), restore)


def _last(perturbations: Sequence[Perturbation]) -> list[Perturbation]:
    """Of each axis and target the last one."""
    return list({(p.axis, p.target): p for p in perturbations}.values())


def _clause(clause: str) -> list[Perturbation] | None:
    """What a clause asks for, an empty list for what is nominal; None if it is not understood."""
    said, intensity = _intensity(" ".join(clause.lower().split()))
    if _RESTORE.search(said):
        return []
    known = _known().get(said)
    if known is not None:
        return [Perturbation(known[0], known[2], value=known[1])]
    for axis in all_axes():
        if axis.phrase in said:
            return [Perturbation(axis.name, intensity, _target(axis, said), _value(axis.name, said))]
    words = set(re.findall(r"[a-z]+", said))
    for name, row in _table().items():
        for value, asks in row["asks"].items():
            if any(_asked(ask, words, said) for ask in asks):
                named = value if value not in ("any", "color", "pattern") else _value(name, said)
                return [Perturbation(name, intensity, _target(_axis(name, row), said), named)]
    return None


def _asked(ask: str, words: set[str], said: str) -> bool:
    """Whether a sentence has all the words; COLOR stands for the name of any colour."""
    needed = ask.split()
    return all(word in words or (word == "COLOR" and _color(said) is not None) for word in needed)


@cache
def _known() -> dict[str, tuple[str, Value, float]]:
    """Our own sentences for axes without targets, and what they stand for."""
    known = dict[str, tuple[str, Value, float]]()
    for axis in all_axes():
        for value in table().axes[axis.name]:
            if axis.name == PROMPT or value in ("color", "pattern"):
                continue
            for intensity in LEVELS:
                named = None if value == "any" else value
                said = Wording().describe(Perturbation(axis.name, intensity, value=named)).lower().rstrip(".")
                known[said] = (axis.name, named, intensity)
    return known


def _intensity(clause: str) -> tuple[str, float]:
    """A clause without its percentage, and how much it asks for, in [0, 1]."""
    match = _PERCENT.search(clause)
    if match:
        return clause.replace(match[0], " ", 1).strip(), min(1.0, float(match[1]) / 100)
    degree = next((share for word, share in DEGREES.items() if re.search(rf"\b{word}\b", clause)), UNSAID)
    return clause, degree


def _target(axis: Axis, said: str) -> str | None:
    return next((target for target in axis.targets[1:] if f"{target} light" in said), None)


def _value(axis: str, said: str) -> Value:
    """The value that a clause names, None if it leaves it open."""
    kinds = table().axes[axis]
    if "color" in kinds:
        name = _color(said)
        return table().colors[name] if name else None
    if "pattern" in kinds:
        return next((name for name, words in table().patterns.items() if words in said or name in said.split()), None)
    return next((kind for kind in kinds if kind in said.split()), None)


def _color(said: str) -> str | None:
    """The name of a colour in a clause, the longest one."""
    names = sorted(table().colors, key=len, reverse=True)
    return next((name for name in names if re.search(rf"\b{name}\b", said)), None)
