"""A model's own preprocessing, on tensors instead of one PIL image after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """One of open_clip's steps; those that treat PIL images otherwise than tensors get a replacement."""
    from open_clip import transform
    from torchvision.transforms import Resize

    if isinstance(step, transform.MaybeToTensor):
        return lambda pictures: pictures.float() / 255
    if isinstance(step, Resize):
        return lambda pictures: _resized(pictures, _edges(step.size, pictures.shape[-2:]), step.interpolation.value)
    if isinstance(step, transform.ResizeKeepRatio):
        return lambda pictures: _resized(pictures, _kept_ratio(step, pictures.shape[-2:]), step.interpolation.value)
    found: Callable[[Tensor], Tensor] = step
    return found


def _resized(pictures: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """Interpolates bytes as PIL does, with a rounding between rows and columns; torchvision would do it in floats.

    Args:
        pictures: uint8. Shape (n, 3, H, W).
        size: Height and width [pixel].
        mode: ``bicubic`` or ``bilinear``.
    """
    import torch
    from torch.nn.functional import interpolate

    if pictures.device.type == "cpu":
        return interpolate(pictures, list(size), mode=mode, antialias=True)
    floats = interpolate(pictures.float(), list(size), mode=mode, antialias=True)
    return floats.round().clamp(0, 255).to(torch.uint8)


def _edges(wanted: int | Sequence[int], edges: Sequence[int]) -> Sequence[int]:
    """Height and width of `torchvision.transforms.Resize`, for which one number is the shorter edge."""
    if not isinstance(wanted, int):
        return wanted
    height, width = edges
    short = min(height, width)
    return int(wanted * height / short), int(wanted * width / short)


def _kept_ratio(step: Any, edges: Sequence[int]) -> Sequence[int]:
    as_pil_tells = SimpleNamespace(size=(edges[1], edges[0]))
    result: Sequence[int] = step.get_params(as_pil_tells, step.size, step.longest)
    return result
