"""To be written: the backend `Hybrid`."""

from __future__ import annotations

from typing import ClassVar

from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl_odyssey.options import ServiceOptions


class Hybrid(Backend):
    """To be written."""

    Options: ClassVar[type[BackendOptions]] = ServiceOptions

    def make(self, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
        """To be written."""
        raise NotImplementedError
