"""What ``adversarl doctor`` says about MuJoCo and OpenGL."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from adversarl.errors import AdversarlError

Check = Callable[[str, bool, str], None]
SIZE = 84


def examine(check: Check) -> None:
    """Reports mujoco's version, the OpenGL renderer and a test picture; see `adversarl.hooks.adversarl_doctor`."""
    check("mujoco", True, version("mujoco"))
    try:
        import adversarl_mujoco.gl as gl

        check("MUJOCO_GL", True, gl.BACKEND)
        _examine_renderer(check, gl)
        _examine_picture(check)
    except AdversarlError as error:
        check("OpenGL", False, str(error))


def _examine_renderer(check: Check, gl: Any) -> None:
    context = gl.make_context(SIZE, SIZE)
    context.make_current()
    try:
        renderer, software = gl.renderer_name(), gl.software()
    finally:
        context.free()
    detail = f"{renderer} ({'software, on the processor' if software else 'hardware'})"
    check("OpenGL renderer", bool(renderer), detail if renderer else "the driver names no renderer")


def _examine_picture(check: Check) -> None:
    """Renders the nominal scene: a picture all of one colour means that nothing was drawn."""
    from adversarl_mujoco.backend import Mujoco, MujocoOptions

    world = Mujoco(MujocoOptions.model_validate({"num_envs": 1, "threads": 1, "image_size": SIZE})).make(seed=0)
    try:
        image = world.reset(seed=0)[0]["image"][0]
    finally:
        world.close()
    colors = len(np.unique(image.reshape(-1, 3), axis=0))
    check("test picture", colors > 16, f"{SIZE}x{SIZE}, {colors} colours, mean {image.mean():.0f} of 255")
