"""A model's own preprocessing, on tensors instead of one PIL image after the other."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from adversarl_clip.library import open_clip

if TYPE_CHECKING:
    from torch import Tensor


class Preprocess:
    """Does what open_clip's transform for evaluation does: resize, crop or pad, normalize.

    Args:
        configuration: The model's; `open_clip.transform.PreprocessCfg` as a dict.
    """

    def __init__(self, configuration: dict[str, Any]) -> None:
        open_clip()
        from open_clip.transform import PreprocessCfg, image_transform_v2

        self.configuration = configuration
        composed = image_transform_v2(PreprocessCfg(**configuration), is_train=False)
        self._steps = [_on_tensors(step) for step in composed.transforms]

    def __call__(self, frames: Tensor) -> Tensor:
        """Pictures as the model takes them, float32. Shape (n, 3, h, w).

        Args:
            frames: uint8. Shape (n, H, W, 3).
        """
        pictures = frames.permute(0, 3, 1, 2)
        for step in self._steps:
            pictures = step(pictures)
        return pictures


def _on_tensors(step: Any) -> Callable[[Tensor], Tensor]:
    """One of open_clip's steps; those that look at PIL images get a replacement."""
    from open_clip import transform

    if isinstance(step, transform.MaybeToTensor):
        return lambda pictures: pictures.float() / 255
    if isinstance(step, transform.ResizeKeepRatio):
        return lambda pictures: _keep_ratio(step, pictures)
    found: Callable[[Tensor], Tensor] = step
    return found


def _keep_ratio(step: Any, pictures: Tensor) -> Tensor:
    from torchvision.transforms import functional

    asked = SimpleNamespace(size=(pictures.shape[-1], pictures.shape[-2]))  # as a PIL image tells its size
    result: Tensor = functional.resize(pictures, step.get_params(asked, step.size, step.longest), step.interpolation)
    return result
