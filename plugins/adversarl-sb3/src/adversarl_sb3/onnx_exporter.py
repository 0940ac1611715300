"""Exporter `onnx`: the deterministic actor, from raw camera frames to actions, in one file."""

from __future__ import annotations

import adversarl_sb3.openmp  # noqa: F401  # isort: skip  # before torch

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import onnxscript  # noqa: F401  torch.onnx imports it late; missing, it should be named by the registry
import torch as th
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from adversarl.errors import AdversarlError
from adversarl.interfaces.exporter import Exporter, ExporterOptions
from adversarl.interfaces.learner import Learner
from adversarl_sb3.learner import Sb3Learner
from adversarl_sb3.networks import Encoder


class ExportError(AdversarlError):
    """A policy that cannot be exported faithfully."""


class OnnxOptions(ExporterOptions):
    """Options of the exporter `onnx`."""

    opset: int = Field(18, ge=18, le=25, description="Version of the ONNX operator set.")
    tolerance: float = Field(1e-4, gt=0, le=1, description="Largest accepted difference of an action, [1].")


class Actor(nn.Module):
    """Inputs ``image`` uint8 (n, H, W, 3) and ``proprio`` float32 (n, p); output ``action`` (n, a), in [-1, 1]."""

    def __init__(self, learner: Sb3Learner) -> None:
        super().__init__()
        self.policy = learner.algorithm.policy
        self._mean_action = learner.mean_action

    def forward(self, image: Tensor, proprio: Tensor) -> Tensor:
        """The deterministic action."""
        return self._mean_action({"image": image, "proprio": proprio}).clamp(-1, 1)


@contextmanager
def full_precision(policy: nn.Module) -> Iterator[None]:
    """Convolutions in float32 for as long as it lasts: a robot's runtime may know no bfloat16."""
    encoders = [module for module in policy.modules() if isinstance(module, Encoder)]
    before = [encoder.dtype for encoder in encoders]
    try:
        for encoder in encoders:
            encoder.dtype = th.float32
        yield
    finally:
        for encoder, dtype in zip(encoders, before, strict=True):
            encoder.dtype = dtype


class Onnx(Exporter):
    """Writes ``policy.onnx`` by `torch.export` and runs it in onnxruntime beside the policy."""

    Options: ClassVar[type[ExporterOptions]] = OnnxOptions
    options: OnnxOptions

    def export(self, learner: Learner, path: Path) -> Path:
        """Writes the actor and compares it with the policy, for one frame and for a batch.

        Raises:
            ExportError: The learner is not one of this package, or the file's actions differ.
        """
        if not isinstance(learner, Sb3Learner):
            raise ExportError(f"exporter 'onnx' knows the learners of adversarl-sb3, not {type(learner).__name__}")
        example = random_observation(learner, 2)
        with full_precision(learner.algorithm.policy):
            self._write(learner, example, path)
            for count in (1, 5):
                self._compare(learner, random_observation(learner, count), path)
        return path

    def _write(self, learner: Sb3Learner, example: dict[str, NDArray[Any]], path: Path) -> None:
        actor = Actor(learner).eval()
        inputs = {key: th.as_tensor(value, device=learner.device) for key, value in example.items()}
        batch = th.export.Dim("batch", min=1, max=4096)
        shapes = {key: {0: batch} for key in inputs}
        with warnings.catch_warnings():
            # torch 2.13's own exporter still uses what its pytree module deprecates.
            warnings.simplefilter("ignore", FutureWarning)
            program = th.onnx.export(
                th.export.export(actor, (), inputs, dynamic_shapes=shapes),
                input_names=list(inputs),
                output_names=["action"],
                opset_version=self.options.opset,
                dynamo=True,
                verbose=False,
            )
        assert program is not None
        program.save(path)

    def _compare(self, learner: Sb3Learner, observation: dict[str, NDArray[Any]], path: Path) -> None:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        exported = session.run(["action"], observation)[0]
        difference = float(np.abs(exported - learner.act(observation)).max())
        if not difference <= self.options.tolerance:
            raise ExportError(
                f"{path}: actions differ from the policy's by up to {difference:.2g}, more than "
                f"{self.options.tolerance:.2g}. Raise the exporter's tolerance, or report a bug"
            )


def random_observation(learner: Sb3Learner, count: int) -> dict[str, NDArray[Any]]:
    """Noise in the shapes the policy expects; what it shows does not matter for a comparison."""
    rng = np.random.default_rng(count)
    image, proprio = (learner.venv.observation_space[key] for key in ("image", "proprio"))  # type: ignore[index]
    return {
        "image": rng.integers(0, 256, (count, *image.shape), np.uint8),
        "proprio": rng.standard_normal((count, *proprio.shape)).astype(np.float32),
    }
