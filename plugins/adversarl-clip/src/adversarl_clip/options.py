"""Options of the reward detector `clip`."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from adversarl.detection import FrameOptions

PLACE = "{task}"


def _prompt(text: str) -> str:
    unknown = [found for found in re.findall(r"\{[^}]*\}?", text) if found != PLACE]
    if unknown:
        raise ValueError(f"nothing is known to put in for '{unknown[0]}'; write {PLACE} where the task's text belongs")
    return text


Prompt = Annotated[str, AfterValidator(_prompt), Field(min_length=1, max_length=1000)]


class ClipOptions(FrameOptions):
    """Keys of ``[reward]`` with ``use = "clip"``."""

    model: str = Field(
        "ViT-B-32",
        min_length=1,
        description="A model of open_clip by name, hf-hub:ORGANIZATION/NAME, local-dir:FOLDER, or a JSON file with a "
        "configuration of your own.",
    )
    pretrained: str = Field(
        "laion2b_s34b_b79k",
        min_length=1,
        description="Its weights: a tag, which open_clip downloads, or a file; hf-hub: and local-dir: bring theirs.",
    )
    goal: Prompt = Field(
        "a robot that has managed to do this: {task}",
        description="What a picture of success shows; {task} stands for the task's text. Sentences about what is seen "
        "do better.",
    )
    baseline: Prompt = Field("a robot at a table", description="What every picture shows; may have {task}, too.")
    alpha: float = Field(
        0.5, ge=0, le=1, description="How much of what does not tell goal from baseline is left out of R [1]."
    )
    midpoint: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="R at which the probability is 1/2 [1]; default: the model's own probability of goal against "
        "baseline, which is not calibrated.",
    )
    scale: float = Field(0.02, gt=0, le=10, description="R by which the probability's odds grow e times [1].")
    span: tuple[float, float] = Field((-1.0, 1.0), description="R at which progress is 0, and at which it is 1 [1].")
    head: str | None = Field(
        None,
        description="File of a calibrated head on the model's features that `adversarl reward train` wrote; its "
        "probability and progress replace those of R.",
    )
    any_task: bool = Field(False, description="Whether to go on where the head was trained on another task.")
    batch_size: int = Field(32, ge=1, le=4096, description="Pictures that go through the model at once.")
    threads: int | None = Field(
        None, ge=1, le=256, description="Processor threads of the model; default: as many as PyTorch takes."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the model lives; auto prefers a GPU.")

    @model_validator(mode="after")
    def _meaningful(self) -> Self:
        if self.goal == self.baseline:
            raise ValueError("goal and baseline must differ")
        if not -1 <= self.span[0] < self.span[1] <= 1:
            raise ValueError(f"span = [{self.span[0]}, {self.span[1]}] must rise within [-1, 1]")
        return self
