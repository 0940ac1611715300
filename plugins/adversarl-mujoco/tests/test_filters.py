"""What happens to the finished picture: each effect by its formula, at every size."""

from __future__ import annotations

import adversarl_mujoco.gl  # noqa: F401  isort: skip
import numpy as np
import pytest
from adversarl_mujoco.axes.filters import ColorGrid, Defocus, Fog, Glare, MotionBlur, Rain, Recolor
from adversarl_mujoco.axes.settings import Shot

SHADES = np.eye(4) + np.array([[0, 0.2, 0, 5], [0, 0, 0, -8], [0.1, 0, 0, 0], [0, 0, 0, 0]])
FILTERS = [
    Recolor(SHADES),
    ColorGrid(3, 0.5),
    Fog(1.2, (0.7, 0.7, 0.8)),
    Rain(3, 0.2, 0.8),
    Glare(0.2, 0.1, 0.8),
    Defocus(0.03),
    MotionBlur(0.09, 0.5),
]


def picture(height=84, width=84):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def shot(height=84, width=84, step=0):
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 3] = 255
    depth = np.linspace(0.4, 2.0, height * width, dtype=np.float32).reshape(height, width)
    return Shot(step, depth, mask)


@pytest.mark.parametrize("effect", FILTERS, ids=lambda effect: type(effect).__name__)
@pytest.mark.parametrize("size", [(84, 84), (33, 50)])
def test_every_size_is_served_and_the_same_input_gives_the_same_picture(effect, size):
    outs = [effect.apply(picture(*size), shot(*size)) for _ in range(2)]
    assert outs[0].shape == (*size, 3)
    assert outs[0].dtype == np.uint8
    assert np.array_equal(*outs)
    assert not np.array_equal(outs[0], picture(*size))


def test_recolouring_is_the_affine_map_rounded_and_clipped():
    image = picture()
    exact = np.clip(image.astype(float) @ SHADES[:3, :3].T + SHADES[:3, 3], 0, 255)
    assert np.abs(Recolor(SHADES).apply(image, shot()) - exact).max() <= 0.51


def test_fog_follows_the_law_of_beer_and_lambert():
    density, color = 1.3, (0.2, 0.5, 0.9)
    left = np.exp(-density * shot().depth)[..., None]
    exact = picture() * left + 255 * np.array(color) * (1 - left)
    assert np.abs(Fog(density, color).apply(picture(), shot()) - exact).max() < 3


def test_rain_falls_with_time_and_comes_back():
    dark = np.zeros((60, 60, 3), np.uint8)
    frames = [Rain(5, 0.1, 1.0).apply(dark, shot(60, 60, step)) for step in range(4)]
    down = round(0.37 * 60)
    assert np.array_equal(np.roll(frames[0], down, axis=0), frames[1])
    assert len({frame.tobytes() for frame in frames}) == 4


def test_glare_only_adds_light():
    before = picture()
    after = Glare(0.7, 0.15, 1.0).apply(before, shot())
    assert (after >= before).all()
    assert after[10:16, 55:62].min() > 240


@pytest.mark.parametrize("effect", [Defocus(0.03), MotionBlur(0.09, 0.7)], ids=["defocus", "motion"])
def test_blur_keeps_the_light_and_is_as_wide_at_every_size(effect):
    widths = []
    for size in (84, 336):
        dot = np.zeros((size, size, 3), np.uint8)
        half = size // 42
        dot[size // 2 - half : size // 2 + half, size // 2 - half : size // 2 + half] = 255
        out = effect.apply(dot, shot(size, size))[..., 0].astype(float)
        assert out.sum() == pytest.approx(dot[..., 0].sum(), rel=0.03)
        y, x = np.mgrid[0:size, 0:size] / size
        share = out / out.sum()
        widths.append(np.sqrt((share * ((x - (share * x).sum()) ** 2 + (y - (share * y).sum()) ** 2)).sum()))
    assert widths[0] == pytest.approx(widths[1], rel=0.06)


def test_a_colour_grid_covers_the_background_alone():
    out = ColorGrid(1, 1.0).apply(picture(), shot())
    assert np.array_equal(out[28:], picture()[28:])
    assert len(np.unique(out[:28].reshape(-1, 3), axis=0)) > 60
