"""Exporters: a policy file for a robot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from adversarl.interfaces.learner import Learner


class ExporterOptions(BaseModel):
    """Options of an exporter."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Exporter(ABC):
    """Writes a trained policy in a format that runs without AdversaRL.

    The command line calls it so::

        path = Onnx(Onnx.Options()).export(learner, run_folder / "policy.onnx")
    """

    Options: ClassVar[type[ExporterOptions]] = ExporterOptions

    def __init__(self, options: ExporterOptions) -> None:
        self.options = options

    @abstractmethod
    def export(self, learner: Learner, path: Path) -> Path:
        """Writes the deterministic policy and checks it against `learner.act`; returns the file written."""
