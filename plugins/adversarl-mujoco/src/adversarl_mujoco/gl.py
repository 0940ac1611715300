"""Which OpenGL is used; imported before anything imports mujoco, because both read the environment only once."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import ModuleType
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


SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software")
_EGL_PLATFORM_SURFACELESS_MESA = 0x31DD


def make_context(width: int, height: int, *, second: bool = False) -> Any:
    """A GL context of `mujoco.gl_context`, not yet current; sizes in [pixel].

    Args:
        width: Of the largest picture.
        height: Of the largest picture.
        second: Whether it is used while another thread draws; see `parallel_contexts`.

    Raises:
        NoGL: The libraries are missing or refuse; the message has the cause.
    """
    _load_triton()
    try:
        apart = _second_display() if second and BACKEND == "egl" and software() else None
        module = apart or importlib.import_module(f"mujoco.{BACKEND}")
        return module.GLContext(width, height)
    except Exception as error:  # PyOpenGL raises ImportError, AttributeError, GLError, ... for a missing library
        raise NoGL(BACKEND, f"{type(error).__name__}: {error}") from error


@cache
def _load_triton() -> None:
    """Loads triton, if it is there, before Mesa.

    Builds of PyTorch for GPUs bring it and load it with the first optimizer. Its LLVM and that of Mesa's software
    renderer are two; where Mesa's was there first, the process died (triton 3.7, Mesa 22.3). The other way round they
    get on.
    """
    with suppress(ImportError):
        importlib.import_module("triton")


def parallel_contexts() -> int:
    """How many threads may draw at once; asked while a context is current.

    Two threads that drew on one display of llvmpipe (Mesa 22.3) crashed about once in 300,000 frames, in the walk over
    a scene's resources; its contexts seem to look into each other's scenes without a lock. So each thread draws on a
    display of its own, and Mesa offers two that need no screen: the device's and the surfaceless one.
    """
    if BACKEND != "egl" or not software():
        return sys.maxsize
    return 2 if _second_display() is not None else 1


def renderer_name() -> str:
    """What OpenGL calls the renderer of the current context, such as ``llvmpipe (LLVM 15.0.6, 256 bits)``."""
    from OpenGL import GL

    name = GL.glGetString(GL.GL_RENDERER)
    return name.decode() if isinstance(name, bytes) else str(name or "")


@cache
def software() -> bool:
    """Whether OpenGL draws on the processor; first asked while a context is current."""
    name = renderer_name().lower()
    return any(word in name for word in SOFTWARE)


@cache
def _second_display() -> ModuleType | None:
    """`mujoco.egl` once more, on Mesa's surfaceless display; None where there is none."""
    from OpenGL import EGL

    spec = importlib.util.find_spec("mujoco.egl")
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        display = EGL.eglGetPlatformDisplayEXT(_EGL_PLATFORM_SURFACELESS_MESA, None, None)
        if not EGL.eglInitialize(display, None, None):
            return None
    except Exception:  # an EGL without the platform: one thread draws
        return None
    module.__dict__["create_initialized_egl_device_display"] = lambda: display
    return module


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
