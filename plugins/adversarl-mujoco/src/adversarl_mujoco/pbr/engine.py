"""Filament's engine: probed before it is made, because it aborts the process where Vulkan does not work."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import adversarl_mujoco.gl  # noqa: F401  # isort: skip
import mujoco
from mujoco import mjrf

from adversarl.errors import NoVulkan

PROBE_SECONDS = 60
"""A driver that has not answered by then is taken for broken [s]."""
_PROBE = "import sys, adversarl_mujoco.pbr.engine as engine; engine.make_context(sys.argv[1] == 'software')"
_DEVICE = re.compile(r"Selected physical device '(.+?)' from")


@cache
def probe() -> tuple[str, bool]:
    """Asks a process of its own whether Vulkan works.

    Returns:
        The Vulkan device, such as ``llvmpipe (LLVM 15.0.6, 256 bits)``, and whether it is the software one.

    Raises:
        NoVulkan: No device draws; the message has the driver's own words.
    """
    cause = ""
    for kind in ("any", "software"):
        try:
            command = [sys.executable, "-c", _PROBE, kind]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            cause = f"the driver did not answer within {PROBE_SECONDS} s"
            continue
        if done.returncode == 0:
            device = _DEVICE.search(done.stdout)
            return (device[1] if device else "unnamed device", kind == "software")
        cause = _reason(done.stderr) or f"the probe ended with status {done.returncode}"
    raise NoVulkan(cause)


def _reason(stderr: str) -> str:
    """What a dying probe said: Filament's reason, else the last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    reasons = [line.removeprefix("reason:").strip() for line in lines if line.startswith("reason:")]
    return (reasons or lines or [""])[-1].rstrip(".")


def make_context(software: bool) -> Any:
    """An engine; a process without Vulkan dies here."""
    try:
        importlib.import_module("mujoco.studio")  # registers the shaders
    except ImportError as error:
        raise NoVulkan(f"{error}. Run: pip install mujoco-studio") from error
    api = mjrf.GraphicsApi.GRAPHICS_API_VULKAN
    return mjrf.Context(mjrf.ContextConfig(graphics_api=api, software_rendering=software))


class Engine:
    """Filament's engine and its one scene.

    One scene, because with every frame the bindings destroy the materials that the frame does not use, and fail where
    one of them is in use in another scene. The renderers of a thread take turns with it.
    """

    def __init__(self, software: bool) -> None:
        self.context = make_context(software)
        self.scene = self.context.create_scene(mjrf.SceneParams())
        self.scene.configure_from_model(_settings())
        self._actor: weakref.ref[Actor] | None = None

    def enter(self, actor: Actor) -> None:
        """Lets an actor have the scene; whoever had it before leaves it."""
        last = self._actor() if self._actor is not None else None
        if last is not actor:
            if last is not None:
                last.leave()
            self._actor = weakref.ref(actor)


class Actor(Protocol):
    """Who has something in the scene."""

    def leave(self) -> None:
        """Takes it out."""


def _settings() -> mujoco.MjModel:
    """A model that is nothing but settings, which Filament reads from a model's custom fields.

    Ambient occlusion is off: with it every frame leaks more than a megabyte (Filament of MuJoCo 4.0, Mesa 22.3's
    llvmpipe), also after the engine is gone, and takes twice the time.
    """
    spec = mujoco.MjSpec()
    spec.add_numeric(name="filament.ao.enabled", data=[0.0], size=1)
    return spec.compile()


_engines = threading.local()
_lock = threading.Lock()


def engine() -> Engine:
    """The calling thread's engine: one for all its renderers, because it takes a second to make.

    Raises:
        NoVulkan: Vulkan does not work here.
    """
    made: Engine | None = getattr(_engines, "engine", None)
    if made is None:
        _, software = probe()
        with _lock, quiet():
            made = _engines.engine = Engine(software)
    return made


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what native code writes to standard output off it: Filament greets there, in the middle of ``--json``."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
