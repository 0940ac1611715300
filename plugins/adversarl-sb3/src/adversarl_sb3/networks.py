"""Networks for small images: spatial softmax, normalised low-dimensional inputs, precision."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch as th
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

Network = Literal["spatial_softmax", "nature"]
Precision = Literal["auto", "float32", "bfloat16"]


def resolve_precision(precision: Precision, device: th.device) -> th.dtype:
    """The type convolutions compute in; ``auto`` is bfloat16 where the hardware multiplies matrices in it.

    On a processor with AMX the convolutions are 2.5 times faster so; without it bfloat16 is emulated and slower.
    """
    if precision != "auto":
        return getattr(th, precision)  # type: ignore[no-any-return]
    if device.type == "cuda":
        return th.bfloat16 if th.cuda.is_bf16_supported() else th.float32
    capabilities: dict[str, Any] = getattr(th.cpu, "get_capabilities", dict)()
    return th.bfloat16 if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else th.float32


class SpatialSoftmax(nn.Module):
    r"""Expected image coordinates of each channel: :math:`\sum_{ij} softmax(f_c / \tau)_{ij} (x_j, y_i)`.

    Coordinates lie in [-1, 1]. Levine et al., "End-to-End Training of Deep Visuomotor Policies", JMLR 2016.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        rows, columns = th.linspace(-1, 1, height), th.linspace(-1, 1, width)
        grid = th.stack(th.meshgrid(columns, rows, indexing="xy"), dim=-1).reshape(-1, 2)
        self.register_buffer("grid", grid)
        self.grid: Tensor
        # Below 1 the untrained keypoints already differ from the picture's middle, which speeds the start up.
        self.log_temperature = nn.Parameter(th.tensor(math.log(0.3)))

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps, Shape (n, c, h, w), to keypoints, Shape (n, 2 c)."""
        attention = th.softmax(maps.float().flatten(2) * th.exp(-self.log_temperature), dim=-1)
        return (attention @ self.grid).flatten(1)


def _keypoint_layers() -> list[nn.Module]:
    # Stride 4 in the first two layers: the third and fourth, where the work is, see a sixteenth of the pixels. A
    # coarser and four times cheaper encoder imitates faster in the nominal world, but the curriculum's ceiling of all
    # axes together then stalls at 0.4 where this one goes on.
    return [
        nn.Conv2d(3, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1),
    ]


def _nature_layers() -> list[nn.Module]:
    # Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015.
    return [
        nn.Conv2d(3, 32, 8, stride=4),
        nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
    ]


class Encoder(nn.Module):
    """uint8 images, Shape (n, H, W, 3), to float32 features, Shape (n, `features_dim`)."""

    def __init__(self, image: spaces.Box, network: Network, dtype: th.dtype) -> None:
        super().__init__()
        layers = _keypoint_layers() if network == "spatial_softmax" else _nature_layers()
        self.convolutions = nn.Sequential(*layers)
        height, width, _ = image.shape
        _, channels, rows, columns = self.convolutions(th.zeros(1, 3, height, width)).shape
        self.dtype = dtype
        if network == "spatial_softmax":
            self.head: nn.Module = SpatialSoftmax(rows, columns)
            self.features_dim = 2 * channels
        else:
            self.features_dim = 512
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(channels * rows * columns, 512), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        """Extracts features; convolutions alone run in reduced precision."""
        reduced = self.dtype != th.float32
        with th.autocast(image.device.type, dtype=self.dtype if reduced else th.bfloat16, enabled=reduced):
            maps = self.convolutions(image.permute(0, 3, 1, 2).to(self.dtype) / 255)
        features: Tensor = self.head(maps.float())
        return features


class RunningNorm(nn.Module):
    """Whitens low-dimensional inputs with moments of all that was observed so far (Welford; Chan et al. 1983).

    The moments change by `observe` alone, between updates, so that a policy is one function while it is optimised.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", th.zeros(width, dtype=th.float64))
        self.register_buffer("variance", th.ones(width, dtype=th.float64))
        self.register_buffer("count", th.zeros((), dtype=th.float64))
        self.mean: Tensor
        self.variance: Tensor
        self.count: Tensor

    @th.no_grad()
    def observe(self, batch: Tensor) -> None:
        """Takes a batch into the moments. Shape (n, width)."""
        batch = batch.double()
        count = self.count + len(batch)
        delta = batch.mean(0) - self.mean
        spread = batch.var(0, unbiased=False) * len(batch) + delta**2 * self.count * len(batch) / count
        self.variance.copy_((self.variance * self.count + spread) / count)
        self.mean += delta * len(batch) / count
        self.count.copy_(count)

    def forward(self, values: Tensor) -> Tensor:
        """Whitened values, clipped to [-5, 5]. Shape (n, width)."""
        # The floor keeps a coordinate that hardly moved so far from exploding when it first does.
        scale = th.rsqrt(self.variance + 1e-4).float()
        return th.clamp((values - self.mean.float()) * scale, -5, 5)


def _width(observation_space: spaces.Dict, key: str) -> int:
    shape = observation_space[key].shape
    assert shape is not None
    return shape[0]


class ActorFeatures(BaseFeaturesExtractor):
    """What a robot has: image and proprioception. Shape (n, `features_dim`)."""

    def __init__(self, observation_space: spaces.Dict, network: Network, precision: Precision, device: str) -> None:
        image = observation_space["image"]
        assert isinstance(image, spaces.Box)
        encoder = Encoder(image, network, resolve_precision(precision, th.device(device)))
        width = _width(observation_space, "proprio")
        super().__init__(observation_space, encoder.features_dim + width)
        self.encoder = encoder
        self.norm = RunningNorm(width)

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        """Features of the actor."""
        return th.cat([self.encoder(observation["image"]), self.norm(observation["proprio"])], dim=1)

    def observe(self, observation: dict[str, Tensor]) -> None:
        """Updates the input moments."""
        self.norm.observe(observation["proprio"])


class PrivilegedFeatures(BaseFeaturesExtractor):
    """What only the simulator knows, for critics: state and proprioception. Shape (n, `features_dim`).

    Pinto et al., "Asymmetric Actor Critic for Image-Based Robot Learning", RSS 2018.
    """

    def __init__(self, observation_space: spaces.Dict, **_: Any) -> None:
        width = sum(_width(observation_space, key) for key in ("state", "proprio"))
        super().__init__(observation_space, width)
        self.norm = RunningNorm(width)

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        """Features of the critic."""
        return self.norm(th.cat([observation["state"], observation["proprio"]], dim=1))  # type: ignore[no-any-return]

    def observe(self, observation: dict[str, Tensor]) -> None:
        """Updates the input moments."""
        self.norm.observe(th.cat([observation["state"], observation["proprio"]], dim=1))
