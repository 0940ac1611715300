"""The labelled frames that detectors are measured on, from a world or from a file of an earlier benchmark."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import OnProgress
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.labelled import LabelledFrames
from adversarl.seeding import generator
from adversarl_rewards.bench.errors import FramesError, OtherFrames
from adversarl_rewards.collect import collect, grid_trials

INTENSITIES = (0.25, 0.5, 0.75, 1.0)
ANOTHER = "Name one that is not there yet, and it will be written"


@dataclass(frozen=True, slots=True)
class Design:
    """Which frames there are.

    Attributes:
        backend: Its name and its options, without those that change no picture.
        task: The task in English.
        axes: Each is perturbed alone.
        intensities: At each of these, in (0, 1].
        episodes: Of each axis at each intensity.
        nominal: Nominal episodes; as many as an intensity has over all axes, so that it is known as well.
        frames_per_episode: Frames kept of each.
        seed: Of everything.
    """

    backend: dict[str, Any]
    task: str
    axes: tuple[str, ...]
    intensities: tuple[float, ...]
    episodes: int
    nominal: int
    frames_per_episode: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    def make(self, world: PerturbableVectorEnv, on_progress: OnProgress) -> LabelledFrames:
        """Plays the episodes.

        Raises:
            NothingToLabel: The world cannot say which pictures show success.
        """
        rng = generator(self.seed, "bench rewards")
        trials = grid_trials((), (0.0,), self.nominal, rng)
        trials += grid_trials(self.axes, self.intensities, self.episodes, rng)
        return collect(world, trials, rng, frames_per_episode=self.frames_per_episode, on_progress=on_progress)


def frames_of(design: Design, path: Path | None, make: Callable[[], LabelledFrames]) -> LabelledFrames:
    """Frames from a file, if there is one, else made and, if it has a name, written to it.

    Raises:
        FramesError: The file cannot be read or written.
        OtherFrames: The file holds others.
    """
    if path is not None and path.exists():
        return load(path, design)
    if path is not None:
        _check_folder(path)
    made = make()
    if path is not None:
        save(path, design, made)
    return made


def save(path: Path, design: Design, frames: LabelledFrames) -> None:
    """Writes frames and what they are to an ``.npz`` file, under a temporary name first."""
    draft = path.with_name(f".{path.name}")
    arrays = {field.name: getattr(frames, field.name) for field in fields(frames)}
    with draft.open("wb") as file:
        np.savez_compressed(file, design=np.array(json.dumps(design.to_json())), **arrays)
    draft.replace(path)


def load(path: Path, design: Design) -> LabelledFrames:
    """Reads frames.

    Raises:
        FramesError: It is no file of frames.
        OtherFrames: They are of another design.
    """
    if not zipfile.is_zipfile(path):
        raise FramesError(path, f"it holds no frames. {ANOTHER}")
    try:
        with np.load(path) as file:
            there, arrays = json.loads(str(file["design"])), {f.name: file[f.name] for f in fields(LabelledFrames)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FramesError(path, f"it cannot be read: {error}. {ANOTHER}") from None
    here = design.to_json()
    for key in here:
        if there.get(key) != here[key]:
            raise OtherFrames(path, key, there.get(key), here[key])
    return LabelledFrames(**{**arrays, "task": str(arrays["task"])})


def _check_folder(path: Path) -> None:
    """Better told now than after all was played."""
    if not path.parent.is_dir():
        raise FramesError(path, f"there is no folder {path.parent}. Make it, or name another file")


def stratified(truth: LabelledFrames, rng: np.random.Generator) -> NDArray[np.intp]:
    """An order of which every beginning has its share of each axis at each intensity, solved and not. Shape (n,)."""
    labels = np.char.add(np.char.add(truth.axis, truth.intensity.astype(str)), truth.success.astype(str))
    place = np.empty(len(truth))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (rng.permutation(len(rows)) + rng.random(len(rows))) / len(rows)
    return np.argsort(place)
