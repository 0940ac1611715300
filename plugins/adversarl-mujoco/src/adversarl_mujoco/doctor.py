"""What ``adversarl doctor`` says about MuJoCo and its renderers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from adversarl.errors import AdversarlError

Check = Callable[[str, bool, str], None]
SIZE = 84


def examine(check: Check) -> None:
    """Reports mujoco's version and what each renderer draws with; see `adversarl.hooks.adversarl_doctor`."""
    check("mujoco", True, version("mujoco"))
    try:
        import adversarl_mujoco.gl as gl

        check("MUJOCO_GL", True, gl.BACKEND)
        _examine_opengl(check, gl)
        check("renderer classic", *_picture("classic"))
    except AdversarlError as error:
        check("renderer classic", False, str(error))
    _examine_pbr(check)


def _examine_opengl(check: Check, gl: Any) -> None:
    context = gl.make_context(SIZE, SIZE)
    context.make_current()
    try:
        renderer, software = gl.renderer_name(), gl.software()
    finally:
        context.free()
    detail = f"{renderer} ({'software, on the processor' if software else 'hardware'})"
    check("OpenGL renderer", bool(renderer), detail if renderer else "the driver names no renderer")


def _examine_pbr(check: Check) -> None:
    """Reports the Vulkan device; a missing one is a hint, since nothing needs it unless a recipe asks for it."""
    try:
        from adversarl_mujoco.pbr.engine import probe

        device, _ = probe()
        check("Vulkan device", True, device)
        check("renderer pbr", *_picture("pbr"))
    except (AdversarlError, ImportError) as error:
        check("renderer pbr", True, f"optional, does not work: {error}")


def _picture(renderer: str) -> tuple[bool, str]:
    """Renders the nominal scene: a picture all of one colour means that nothing was drawn."""
    from adversarl_mujoco.backend import Mujoco, MujocoOptions

    options = {"num_envs": 1, "threads": 1, "image_size": SIZE, "renderer": renderer}
    world = Mujoco(MujocoOptions.model_validate(options)).make(seed=0)
    try:
        image = world.reset(seed=0)[0]["image"][0]
    finally:
        world.close()
    colors = len(np.unique(image.reshape(-1, 3), axis=0))
    return colors > 16, f"works: {SIZE}x{SIZE}, {colors} colours, mean {image.mean():.0f} of 255"
