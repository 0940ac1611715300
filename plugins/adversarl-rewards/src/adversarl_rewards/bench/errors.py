"""What a user can mend about measuring reward detectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adversarl.errors import AdversarlError


class FramesError(AdversarlError):
    """A file of frames that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"--frames {path}: {problem}")


class OtherFrames(FramesError):
    """A file of frames that is of another design."""

    def __init__(self, path: Path, key: str, there: Any, here: Any) -> None:
        problem = f"it holds frames with {key} = {there}, not {here}. Ask for the same ones, or name another file"
        super().__init__(path, problem)


class ResultsError(AdversarlError):
    """Results of an earlier benchmark that cannot stand beside these."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"--beside {path}: {problem}. Name a file that was written by: adversarl bench rewards --json")


class NoFrameDetector(AdversarlError):
    """A detector that cannot be asked about single pictures."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        there = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"reward '{name}' compares pictures with others of their episode, so it cannot be asked about single ones. "
            f"Those that can be measured: {there}"
        )


class NoAnswer(AdversarlError):
    """A detector that must not go on before it has judged anything."""

    def __init__(self, why: str) -> None:
        super().__init__(f"it judged no frame: {why}")


class NoAxes(AdversarlError):
    """A world without an axis to measure under."""

    def __init__(self, backend: str) -> None:
        super().__init__(
            f"backend '{backend}' varies no visual axis. Name others with --axis; see: adversarl axes list"
        )
