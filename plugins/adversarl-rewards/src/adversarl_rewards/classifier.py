"""The reward detector ``classifier``: a small CNN that was trained on the simulator's labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.detection import FrameDetector, FrameOptions, Judgement, OnProgress
from adversarl.interfaces.reward import RewardOptions
from adversarl.labelled import LabelledFrames
from adversarl_rewards.errors import OtherTask, UnknownModel
from adversarl_rewards.fitting import fit_network
from adversarl_rewards.network import load

SHIPPED = Path(__file__).parent / "models"


class ClassifierOptions(FrameOptions):
    """Options of `Classifier`."""

    model: str = Field(
        "pick",
        min_length=1,
        description="File of a trained model, such as models/stack.pt, or the name of one that comes with the package.",
    )
    threshold: float = Field(0.8, gt=0, lt=1, description="Probability of success from which a picture says yes [1].")
    hold: int = Field(3, ge=1, le=1000, description="So many judged pictures on end must say yes.")
    any_task: bool = Field(False, description="Whether to go on where the model was trained on another task.")
    size: int = Field(64, ge=16, le=512, description="For training: edge of the network's pictures [pixel].")
    epochs: int = Field(8, ge=1, le=1000, description="For training: passes over the pictures.")


class Classifier(FrameDetector):
    """Says how probable success is, and how far the task has come, from one picture.

    Args:
        options: Its keys in a recipe.

    Raises:
        ModelError: There is no such file, or it holds something else.
        UnknownModel: No such model comes with the package.
    """

    Options: ClassVar[type[RewardOptions]] = ClassifierOptions
    options: ClassifierOptions

    def __init__(self, options: RewardOptions) -> None:
        super().__init__(options)
        self.path = model_path(self.options.model)
        self.model = load(self.path)

    @property
    def held_out_axes(self) -> tuple[str, ...]:
        """Axes that its training kept out, as far as it knows."""
        return tuple(self.model.about.get("held_out_axes", ()))

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Looks at each picture by itself.

        Raises:
            OtherTask: It was trained on another task.
        """
        if task not in ("", self.model.task) and not self.options.any_task:
            raise OtherTask(self.path, self.model.task, task)
        return Judgement(*self.model.judge(frames))

    @classmethod
    def fit(
        cls,
        options: ClassifierOptions,
        training: LabelledFrames,
        validation: LabelledFrames,
        out: Path,
        *,
        seed: int,
        on_progress: OnProgress = lambda done, total: None,
    ) -> dict[str, Any]:
        """Trains a network; see `adversarl_rewards.fitting.fit_network`."""
        model = fit_network(
            training, validation, size=options.size, epochs=options.epochs, seed=seed, on_batch=on_progress
        )
        model.save(out)
        found = {"size": model.size, "temperature": model.temperature, "threshold": model.threshold}
        return {**found, "weights": sum(weight.numel() for weight in model.network.parameters())}

    @classmethod
    def note(cls, path: Path, about: dict[str, Any]) -> None:
        """Writes into a trained model's file what it was trained on and what it is worth."""
        load(path).noted(about).save(path)


def model_path(model: str) -> Path:
    """The file that the key ``model`` means: a path, or a name without suffix or folder of one that is shipped.

    Raises:
        UnknownModel: There is none of that name.
    """
    path = Path(model)
    if path.suffix or len(path.parts) > 1:
        return path
    shipped = {file.stem: file for file in SHIPPED.glob("*.pt")}
    if model not in shipped:
        raise UnknownModel(model, shipped)
    return shipped[model]
