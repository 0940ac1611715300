"""Registers the trackers; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    add.tracker(
        "tensorboard",
        "adversarl_trackers.tensorboard:TensorBoard",
        "Scalars, prompts, reports, pictures, films for TensorBoard",
    )
    add.tracker(
        "wandb", "adversarl_trackers.weights_and_biases:WeightsAndBiases", "The same for W&B, offline by default"
    )
