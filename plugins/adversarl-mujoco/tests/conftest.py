from __future__ import annotations

import os

os.environ.setdefault("MUJOCO_GL", "egl")

import pytest

from adversarl.errors import NoGL


def make_world(num_envs=2, seed=0, **options):
    from adversarl_mujoco.backend import Mujoco

    chosen = {"threads": 1, "image_size": 32, **options}
    return Mujoco(Mujoco.Options(num_envs=num_envs, **chosen)).make(seed=seed)


@pytest.fixture(scope="session")
def open_world():
    """``open_world(num_envs, **options)`` makes a world, closed at the end of the session."""
    worlds = []

    def make(*args, **options):
        worlds.append(make_world(*args, **options))
        return worlds[-1]

    try:
        yield make
    finally:
        for world in worlds:
            world.close()


@pytest.fixture(scope="session", autouse=True)
def _needs_gl():
    """Skips everything, loudly, where nothing can be rendered."""
    try:
        from adversarl_mujoco.gl import make_context

        context = make_context(16, 16)
    except NoGL as error:
        pytest.skip(str(error))
    context.free()
