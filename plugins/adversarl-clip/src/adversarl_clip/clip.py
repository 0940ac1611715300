"""The reward detector `clip`: how near a picture is to a sentence about the goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import FrameDetector, Judgement, OnProgress
from adversarl.interfaces.reward import RewardOptions
from adversarl.labelled import LabelledFrames
from adversarl_clip.errors import HeadError, SamePrompts
from adversarl_clip.goal_baseline import Vectors, logistic, regularized_reward
from adversarl_clip.head import Head, Origin, command, read
from adversarl_clip.options import PLACE, ClipOptions
from adversarl_clip.training import Examples, figures, fit_progress, fit_success, platt

if TYPE_CHECKING:
    from adversarl_clip.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Prompts:
    """Goal and baseline of a task: sentences, and their vectors of Shape (d,)."""

    goal: str
    baseline: str
    goal_vector: Vectors
    baseline_vector: Vectors


class Clip(FrameDetector):
    """Compares pictures with a sentence about the goal and one about any picture at all.

    Progress is R, see `regularized_reward`, on the scale of ``span``. The probability is a logistic of R if there is a
    ``midpoint``; else it is what the model itself gives the goal against the baseline, which is no calibrated
    probability of anything. With a ``head`` both come from regressions on the picture's vector that were fitted to
    labelled frames.
    """

    Options: ClassVar[type[RewardOptions]] = ClipOptions
    trained: ClassVar[str] = "head"
    options: ClipOptions

    def __init__(self, options: ClipOptions) -> None:
        """Loads model, weights and head.

        Raises:
            ModelError: There is no such model.
            WeightsError: There are no such weights, they cannot be fetched, or they are another model's.
            HeadError: The head is not there, is none, or was trained on other features.
            MissingExtra: open_clip is not installed.
            UnmatchedTorch: PyTorch and torchvision do not go together.
            NoGPU: A GPU is asked for, and there is none.
        """
        from adversarl_clip.encoder import Encoder

        super().__init__(options)
        head = None if options.head is None else read(Path(options.head))
        self._encoder = Encoder(options)
        if head is not None:
            _check(head, self._encoder, str(options.head))
        self._head = head
        self._prompts = dict[str, Prompts]()

    @property
    def held_out_axes(self) -> tuple[str, ...]:
        """Axes that the training of its head kept out, as far as it knows."""
        return () if self._head is None else tuple(self._head.figures.get("held_out_axes", ()))

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Judges pictures by R, or by the head.

        Raises:
            HeadError: The head was trained on another task.
        """
        if self._head is not None and not self.options.any_task and task not in ("", self._head.origin.task):
            problem = f"was trained on the task '{self._head.origin.task}', this one is '{task}'. "
            remedy = f"Train one for it: {command(self.options)}. Or set any_task = true"
            raise HeadError(str(self.options.head), problem + remedy)
        if not len(frames):
            return Judgement(np.zeros(0), np.zeros(0))
        prompts, images = self._of(task), self._encoder.images(frames)
        lead = images @ (prompts.goal_vector - prompts.baseline_vector)
        reward = self._reward(images, prompts)
        if self._head is None:
            probability, progress = self._probability(reward, lead), self._far(reward)
        else:
            probability = self._head.probability(images)
            progress = self._far(reward) if self._head.progress is None else self._head.far(images)
        return Judgement(probability, progress, _reasons(prompts, lead))

    def _of(self, task: str) -> Prompts:
        """Sentences and vectors of a task, computed once."""
        if task not in self._prompts:
            goal, baseline = (one.replace(PLACE, task) for one in (self.options.goal, self.options.baseline))
            vectors = self._encoder.texts([goal, baseline])
            if np.allclose(vectors[0], vectors[1], atol=1e-6):
                raise SamePrompts(goal, baseline)
            self._prompts[task] = Prompts(goal, baseline, *vectors)
        return self._prompts[task]

    def _reward(self, images: Vectors, prompts: Prompts) -> Vectors:
        return regularized_reward(images, prompts.goal_vector, prompts.baseline_vector, self.options.alpha)

    def _far(self, reward: Vectors) -> Vectors:
        low, high = self.options.span
        result: Vectors = np.clip((reward - low) / (high - low), 0.0, 1.0)
        return result

    def _probability(self, reward: Vectors, lead: Vectors) -> Vectors:
        if self.options.midpoint is None:
            return logistic(self._encoder.logit_scale * lead)
        return logistic((reward - self.options.midpoint) / self.options.scale)

    @classmethod
    def fit(
        cls,
        options: ClipOptions,
        training: LabelledFrames,
        validation: LabelledFrames,
        out: Path,
        *,
        seed: int,
        on_progress: OnProgress = lambda done, total: None,
    ) -> dict[str, Any]:
        """Fits a head to the features of labelled frames; nothing in it is random.

        Returns what the head is worth on validation, by which it was chosen too, and under ``goal`` what R alone is
        worth there, with the `midpoint`, `scale` and `span` that fit training frames.

        Raises:
            OneSided: A part shows no success, or nothing else.
        """
        del seed
        detector = cls(options.model_copy(update={"head": None}))
        parts = detector._examples((training, validation), on_progress)
        success, found = fit_success(*parts)
        progress, more = fit_progress(*parts)
        encoder = detector._encoder
        counts = {"training_frames": len(training), "validation_frames": len(validation)}
        about = {"model": encoder.name, "parameters": encoder.parameters, "task": training.task, **counts}
        told = {**about, **found, **more, "goal": detector._goal(training.task, *parts)}
        origin = Origin(training.task, options.model, options.pretrained, encoder.fingerprint)
        Head(success, progress, origin, told).save(out)
        return told

    @classmethod
    def note(cls, path: Path, about: dict[str, Any]) -> None:
        """Writes into a head's file what it was trained on and what it is worth."""
        head = read(path)
        replace(head, figures={**head.figures, **about}).save(path)

    def _examples(self, parts: Sequence[LabelledFrames], on_progress: OnProgress) -> list[Examples]:
        """Features of labelled frames, one batch after the other."""
        total, done, size, found = sum(map(len, parts)), 0, self.options.batch_size, []
        for part in parts:
            batches = []
            for first in range(0, len(part), size):
                batches.append(self._encoder.images(part.frames[first : first + size]))
                done += len(batches[-1])
                on_progress(done, total)
            found.append(Examples(np.concatenate(batches), part.success, part.progress))
        return found

    def _goal(self, task: str, training: Examples, validation: Examples) -> dict[str, Any]:
        """What R alone is worth, and the options that calibrate it."""
        prompts = self._of(task)
        here, there = (self._reward(part.features, prompts) for part in (training, validation))
        slope, offset = platt(here, training.success)
        span = [float(here[~training.success].mean()), float(here[training.success].mean())]
        found = {"goal": prompts.goal, "baseline": prompts.baseline, "alpha": self.options.alpha, "span": span}
        if slope > 0:
            found |= {"midpoint": -offset / slope, "scale": 1 / slope}
        return found | figures(slope * there + offset, validation.success)


def _check(head: Head, encoder: Encoder, path: str) -> None:
    """Refuses a head on other features."""
    origin = head.origin
    if origin.fingerprint != encoder.fingerprint:
        raise HeadError(
            path,
            f"was trained on features of {origin.model} ({origin.pretrained}); {encoder.name} has others. Name that "
            f"model and those weights, or train a head for these: {command(encoder.options)}",
        )


def _reasons(prompts: Prompts, lead: Vectors) -> tuple[str, ...]:
    nearer = f'nearer to "{prompts.goal}" than to "{prompts.baseline}"'
    farther = f'nearer to "{prompts.baseline}" than to "{prompts.goal}"'
    return tuple(f"{nearer if one > 0 else farther}, by a cosine of {abs(one):.3f}" for one in lead)
