"""Which OpenGL is used; imported before anything imports mujoco, because both read the environment only once."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from adversarl.errors import NoGL

BACKENDS = ("egl", "glfw", "osmesa")

# llvmpipe renders small pictures fastest in the calling thread, and threads of our own then scale.
os.environ.setdefault("LP_NUM_THREADS", "0")


def backend_name() -> str:
    """The value of ``MUJOCO_GL``; where unset, ``egl`` on Linux and ``glfw`` elsewhere.

    Raises:
        NoGL: It names no backend.
    """
    name = os.environ.get("MUJOCO_GL", "").lower().strip()
    if not name:
        name = os.environ["MUJOCO_GL"] = "egl" if sys.platform.startswith("linux") else "glfw"
    if name not in BACKENDS:
        raise NoGL(name, f"there is no such backend; known are {', '.join(BACKENDS)}")
    return name


BACKEND = backend_name()


def make_context(width: int, height: int) -> Any:
    """A GL context of `mujoco.gl_context`, not yet current; sizes in [pixel].

    Raises:
        NoGL: The libraries are missing or refuse; the message has the cause.
    """
    try:
        return importlib.import_module(f"mujoco.{BACKEND}").GLContext(width, height)
    except Exception as error:  # PyOpenGL raises ImportError, AttributeError, GLError, ... for a missing library
        raise NoGL(BACKEND, f"{type(error).__name__}: {error}") from error
