"""Pictures and films as TensorBoard keeps them."""

import io

import numpy as np
import pluggy
import pytest
from adversarl_trackers.pictures import FRAME_MS, gif, png
from adversarl_trackers.tensorboard import TensorBoard
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarl import hooks


def ball(size=24, length=5):
    """A red ball that crosses a blue field. Shape (length, size, size, 3)."""
    film = np.full((length, size, size, 3), (20, 40, 160), np.uint8)
    for index in range(length):
        film[index, 8:16, 3 * index : 3 * index + 8] = (220, 30, 30)
    return film


def decoded(encoded):
    image = Image.open(io.BytesIO(encoded))
    frames = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        frames.append(np.asarray(image.convert("RGB")))
    return image, np.stack(frames)


def test_a_picture_comes_back_as_it_was():
    image, (found,) = decoded(png(ball()[0]))
    assert image.format == "PNG"
    assert np.array_equal(found, ball()[0])


def test_a_film_comes_back_picture_by_picture_and_repeats():
    image, found = decoded(gif(ball()))
    assert image.format == "GIF"
    assert image.info["duration"] == FRAME_MS
    assert image.info["loop"] == 0
    assert np.abs(found.astype(int) - ball()).max() <= 8  # a GIF has 256 colors


def test_many_colors_are_kept_nearly():
    film = np.random.default_rng(0).integers(0, 256, (2, 1, 1, 3)).astype(np.uint8)
    film = np.linspace(film[:1], film[1:], 32).astype(np.uint8).reshape(1, 32, 1, 3).repeat(32, axis=2)
    _, found = decoded(gif(film))
    assert np.abs(found.astype(int) - film).mean() < 4


@pytest.fixture
def hook(tmp_path):
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    manager.register(TensorBoard(TensorBoard.Options(), tmp_path))
    return manager.hook


def test_tensorboard_shows_pictures_and_films_at_their_steps(hook, tmp_path):
    for step in (0, 500):
        hook.adversarl_media(
            step=step,
            pictures={"trajectory/image/mixed/0.25": ball()[0]},
            videos={"trajectory/video/mixed/0.25": ball()},
        )
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["images"] == ["trajectory/image/mixed/0.25", "trajectory/video/mixed/0.25"]
    assert [event.step for event in events.Images("trajectory/image/mixed/0.25")] == [0, 500]
    picture, film = (events.Images(f"trajectory/{kind}/mixed/0.25")[1] for kind in ("image", "video"))
    assert (picture.height, picture.width) == (film.height, film.width) == (24, 24)
    assert np.array_equal(decoded(picture.encoded_image_string)[1][0], ball()[0])
    image, frames = decoded(film.encoded_image_string)
    assert image.format == "GIF"
    assert len(frames) == 5
