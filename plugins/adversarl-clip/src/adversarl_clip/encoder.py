"""A frozen model of open_clip: pictures and sentences in, vectors of length 1 out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl_clip.errors import ModelError, NoGPU, WeightsError
from adversarl_clip.goal_baseline import Vectors, unit
from adversarl_clip.library import open_clip, quiet
from adversarl_clip.options import ClipOptions
from adversarl_clip.preprocess import Preprocess
from adversarl_clip.weights import Source, find


class Encoder:
    """A model in evaluation mode with its preprocessing and its tokenizer.

    Args:
        options: Which model, and where and how it computes.

    Raises:
        ModelError: There is no such model.
        WeightsError: There are no such weights, they cannot be fetched, or they are another model's.
        MissingExtra: open_clip is not installed.
        UnmatchedTorch: PyTorch and torchvision do not go together.
        NoGPU: A GPU is asked for, and there is none.
    """

    def __init__(self, options: ClipOptions) -> None:
        open_clip()
        import torch

        self.options = options
        source = find(options.model, options.pretrained)
        self._device = torch.device(_device(options.device))
        # First weights are drawn from the generator that training resumes with.
        with torch.random.fork_rng(devices=[]), quiet():
            self._model = _create(source, options).to(self._device).eval()
            self._tokenize = _tokenizer(source, options.model)
        self._preprocess = Preprocess(self._model.visual.preprocess_cfg)
        self.logit_scale = float(self._model.logit_scale.detach().exp())
        """What the model multiplies cosines with to have log odds."""

    @property
    def name(self) -> str:
        """Model and weights, for people."""
        own = self.options.model.startswith(("hf-hub:", "local-dir:"))
        return self.options.model if own else f"{self.options.model} ({self.options.pretrained})"

    @cached_property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(parameter.numel() for parameter in self._model.parameters())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides a picture's vector: weights of the image tower, and preprocessing."""
        found = hashlib.sha256(repr(sorted(self._preprocess.configuration.items())).encode())
        for name, value in sorted(self._model.visual.state_dict().items()):
            found.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            found.update(np.ascontiguousarray(value.detach().cpu().float().numpy()).tobytes())
        return found.hexdigest()

    def images(self, frames: NDArray[np.uint8]) -> Vectors:
        """Vectors of pictures. Shape (n, d).

        Args:
            frames: uint8. Shape (n, H, W, 3).
        """
        import torch

        size = self.options.batch_size
        with torch.inference_mode(), self._threads():
            parts = [self._batch(frames[first : first + size]) for first in range(0, len(frames), size)]
        return unit(np.concatenate(parts))

    def _batch(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        pictures = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
        result: NDArray[np.float32] = self._model.encode_image(self._preprocess(pictures)).float().cpu().numpy()
        return result

    def texts(self, sentences: Sequence[str]) -> Vectors:
        """Vectors of sentences. Shape (len(sentences), d)."""
        import torch

        with torch.inference_mode(), self._threads():
            tokens = self._tokenize(list(sentences)).to(self._device)
            return unit(self._model.encode_text(tokens).float().cpu().numpy())

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """The number of threads is the whole process's: it is put back."""
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(self.options.threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _device(wanted: str) -> str:
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise NoGPU
    return "cuda" if there and wanted != "cpu" else "cpu"


def _create(source: Source, options: ClipOptions) -> Any:
    try:
        return open_clip().create_model(
            source.model,
            pretrained=source.pretrained,
            force_quick_gelu=source.quick_gelu,
            force_preprocess_cfg=dict(source.preprocessing),
            require_pretrained=True,
        )
    except Exception as error:  # open_clip raises whatever it comes upon
        cause = " ".join(str(error).split())[:300]
        if source.pretrained is None:
            raise ModelError(options.model, f"cannot be loaded: {cause}") from error
        problem = f"cannot be loaded into {options.model}. Are they weights of that model? {cause}"
        raise WeightsError(options.pretrained, problem) from error


def _tokenizer(source: Source, model: str) -> Any:
    try:
        return open_clip().get_tokenizer(source.model)
    except Exception as error:  # tokenizers that are not open_clip's own are downloaded too
        cause = " ".join(str(error).split())[:300]
        raise ModelError(model, f"its tokenizer cannot be loaded: {cause}") from error
