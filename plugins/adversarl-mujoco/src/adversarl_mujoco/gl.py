"""Which OpenGL is used; imported before anything imports mujoco, because both read the environment only once."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from collections.abc import Callable
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


def current_context() -> int | None:
    """Handle of the calling thread's current EGL context; None without EGL.

    The bare C function, because PyOpenGL's wrappers cost ten times as much.
    """
    return _eglGetCurrentContext() if _eglGetCurrentContext is not None else None


def _load() -> Callable[[], int | None] | None:
    if BACKEND != "egl":
        return None
    try:
        function = ctypes.CDLL("libEGL.so.1").eglGetCurrentContext
    except (OSError, AttributeError):
        return None
    function.restype = ctypes.c_void_p
    return function


_eglGetCurrentContext = _load()
