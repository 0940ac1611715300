"""Results of earlier benchmarks on the same frames, such as of detectors that need an environment of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adversarl_rewards.bench.errors import ResultsError


def load(path: Path) -> dict[str, Any]:
    """Results as ``adversarl bench rewards --json`` printed them.

    Raises:
        ResultsError: The file holds no such thing.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(path, f"it cannot be read: {error}") from None
    if not isinstance(found, dict) or found.get("benchmark") != "rewards":
        raise ResultsError(path, "it holds no results of this benchmark")
    return found


def together(found: dict[str, Any], earlier: Sequence[tuple[Path, dict[str, Any]]]) -> dict[str, Any]:
    """Puts earlier results before new ones; of detectors with the same name the newest stay.

    Raises:
        ResultsError: Earlier results are of other frames.
    """
    for path, other in reversed(earlier):
        for key in ("design", "frames"):
            if found[key] is not None and other[key] is not None and found[key] != other[key]:
                raise ResultsError(path, f"its detectors were measured on other {key_words(found[key], other[key])}")
        theirs = {label: row | {"run": row["run"] + len(found["runs"])} for label, row in other["detectors"].items()}
        found = {
            **found,
            "design": found["design"] or other["design"],
            "frames": found["frames"] or other["frames"],
            "runs": [*found["runs"], *other["runs"]],
            "reference": list(dict.fromkeys([*other["reference"], *found["reference"]])),
            "missing": {k: v for k, v in found["missing"].items() if k not in theirs},
            "detectors": {
                **theirs,
                **{k: v for k, v in found["detectors"].items() if k in theirs},
                **found["detectors"],
            },
        }
    return found


def key_words(here: dict[str, Any], there: dict[str, Any]) -> str:
    """What differs between two designs, or two sets of frames."""
    (key, *_) = [key for key in here if here[key] != there.get(key)]
    return f"frames: {key} = {there.get(key)}, not {here[key]}"
