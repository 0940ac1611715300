"""Images and videos behind the scene: the bank, folders with real files, the memory they take, the compositing."""

from __future__ import annotations

import sys
from itertools import pairwise

import adversarl_mujoco.gl  # noqa: F401  isort: skip
import cv2
import numpy as np
import pytest
from adversarl_mujoco import bank
from adversarl_mujoco.backgrounds import BANK, BackgroundError, Frames, generated, load_backgrounds
from adversarl_mujoco.compositing import composite, cover
from adversarl_mujoco.films import FilmError

from adversarl.errors import MissingExtra, PerturbationError
from adversarl.types import Perturbation

COLORS = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (240, 240, 10)]


def write_video(path, seconds_each=0.5, fps=10, size=(96, 64)):
    """A film that shows each of `COLORS` for a while."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for color in COLORS:
            picture = np.full((size[1], size[0], 3), color, np.uint8)
            for _ in range(round(seconds_each * fps)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def folder(tmp_path):
    write_video(tmp_path / "traffic.mp4")
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :, 0] = 200  # blue, as OpenCV counts
    cv2.imwrite(str(tmp_path / "wall.png"), picture)
    return tmp_path


def test_a_folder_gives_its_images_and_videos_by_their_stems(folder):
    found = load_backgrounds(folder)
    assert tuple(found.images) == ("wall",)
    assert tuple(found.videos) == ("traffic",)
    assert np.array_equal(np.unique(found.frame(found.images["wall"], 7, 30, 30).reshape(-1, 3), axis=0), [[0, 0, 200]])


def test_a_real_video_advances_with_the_control_steps_and_runs_to_and_fro(folder):
    found = load_backgrounds(folder)
    film = found.videos["traffic"]
    assert film.length == 40  # 2 s at 20 Hz, from 10 frames a second

    def seen(step):
        mean = found.frame(film, step, 32, 32).reshape(-1, 3).mean(0)
        return int(np.argmin([np.abs(mean - color).sum() for color in COLORS]))

    assert [seen(step) for step in (2, 15, 25, 38)] == [0, 1, 2, 3]
    assert [seen(step) for step in (41, 53, 63, 76, 80)] == [3, 2, 1, 0, 0]


def test_where_a_folder_has_no_video_generated_ones_play(folder):
    (folder / "traffic.mp4").unlink()
    assert tuple(load_backgrounds(folder).videos) == tuple(generated().videos)


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(BackgroundError, match="no such folder"):
        load_backgrounds(tmp_path / "nowhere")
    with pytest.raises(BackgroundError, match=rf"{tmp_path}.*no image or video; put in files that end with .jpg"):
        load_backgrounds(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(BackgroundError, match=r"broken.png.*cannot be read"):
        load_backgrounds(tmp_path)


def test_a_broken_video_is_named_with_a_way_out(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "broken.mp4").write_bytes(b"no film at all")
    with pytest.raises(FilmError, match=r"broken.mp4 cannot be decoded: .*ffmpeg -i broken.mp4"):
        load_backgrounds(tmp_path)


def test_a_video_that_was_cut_out_of_a_longer_one_begins_at_its_first_frame(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "late.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 6 * index, np.uint8), format="rgb24")
            frame.pts = 400 + index  # from 20 s on
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    film = load_backgrounds(tmp_path).videos["late"]
    assert [round(film.frame(index).mean() / 6) for index in (0, 10, 30)] == [0, 10, 30]


def test_of_a_video_that_is_broken_further_on_the_sound_part_plays(tmp_path, caplog):
    write_video(tmp_path / "broken.mp4", size=(320, 240))
    content = bytearray((tmp_path / "broken.mp4").read_bytes())
    middle = (content.index(b"mdat") + content.index(b"moov")) // 2
    content[middle : content.index(b"moov") - 8] = bytes(content.index(b"moov") - 8 - middle)
    (tmp_path / "broken.mp4").write_bytes(content)
    film = load_backgrounds(tmp_path).videos["broken"]
    assert np.abs(film.frame(0).reshape(-1, 3).mean(0) - COLORS[0]).max() < 30
    assert film.frame(film.length - 1).shape == film.frame(0).shape
    assert "broken.mp4 cannot be decoded" in caplog.text


def test_files_that_differ_in_their_endings_alone_are_named(folder):
    (folder / "wall.jpg").write_bytes((folder / "wall.png").read_bytes())
    with pytest.raises(BackgroundError, match=r"wall.jpg and wall.png have one name, 'wall'. Rename one"):
        load_backgrounds(folder)


def test_a_video_without_a_decoder_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"traffic.mp4 needs the package 'av'.*'adversarl-mujoco\[video\]'"):
        load_backgrounds(folder)


def test_the_bank_is_varied_and_repeatable():
    found = generated(0)
    assert len(found.images) == BANK * len(bank.STILLS) >= 40
    assert len(found.videos) == BANK * len(bank.CLIPS) >= 32
    pictures = {found.frame(clip, 0, 48, 48).tobytes() for clip in (*found.images.values(), *found.videos.values())}
    assert len(pictures) == len(found.images) + len(found.videos)
    again = generated(0)
    assert {again.frame(clip, 0, 48, 48).tobytes() for clip in again.images.values()} <= pictures


def test_banks_of_different_seeds_share_no_picture():
    shown = []
    for seed in (0, 1):
        found = generated(seed)
        clips = (*found.images.values(), *found.videos.values())
        shown.append({found.frame(clip, 0, 24, 24).tobytes() for clip in clips})
    assert not shown[0] & shown[1]


@pytest.mark.parametrize("kind", bank.CLIPS)
def test_generated_videos_move_without_jumps(kind):
    frames = [bank.clip(kind, 0, 3, step).astype(int) for step in range(bank.FRAMES)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert np.mean(steps) > 0.1
    assert np.abs(frames[-1] - frames[0]).mean() > np.mean(steps)


def test_frames_stay_within_their_budget_and_those_used_last_stay():
    kept = Frames(budget=10 * 300)
    made = []

    def picture(key):
        made.append(key)
        return np.zeros((10, 10, 3), np.uint8)

    for key in range(10):
        kept.get(key, lambda key=key: picture(key))
    kept.get(0, lambda: picture("again"))
    kept.get(10, lambda: picture(10))
    assert kept.taken <= 3000
    kept.get(0, lambda: picture("again"))
    assert "again" not in made
    kept.get(1, lambda: picture("once more"))
    assert made[-1] == "once more"


def test_compositing_replaces_the_background_alone():
    foreground = np.full((8, 8, 3), 100, np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    mask[:4] = 255
    behind = np.full((32, 16, 3), 200, np.uint8)
    for share, expected in ((1.0, 200), (0.25, 125), (0.0, 100)):
        out = composite(foreground.copy(), mask, behind, share)
        assert (out[:4] == expected).all()
        assert (out[4:] == 100).all()


@pytest.mark.parametrize("shape", [(20, 60), (60, 20), (7, 7), (200, 300)])
def test_a_picture_covers_the_frame_without_being_stretched(shape):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    middle = np.hypot(y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2) < min(shape) * 0.3
    disc = np.repeat((255 * middle).astype(np.uint8)[..., None], 3, axis=2)
    out = cover(disc, 48, 48)[..., 0] > 127
    assert out.shape == (48, 48)
    assert abs(int(out.any(0).sum()) - int(out.any(1).sum())) <= 2
    assert 0.4 * 48 < out.any(0).sum() < 0.8 * 48


def test_a_recipe_names_a_folder_and_prompts_its_files(folder, open_world):
    world = open_world(1, backgrounds=str(folder))
    nominal = world.reset(seed=3)[0]["image"].copy()
    world.perturb([0], [[Perturbation("background-video", 1.0, value="traffic")]])
    stay = np.zeros((1, world.single_action_space.shape[0]))
    red, green = None, None
    for step in range(1, 16):
        image = world.step(stay)[0]["image"][0].astype(int)
        red, green = (image, green) if step == 3 else (red, image)
    replaced = np.abs(red - green).max(-1) > 100
    assert 0.03 < replaced.mean() < 0.5
    assert not replaced[20:].any()
    assert red[replaced].mean(0).argmax() == 0
    assert green[replaced].mean(0).argmax() == 1
    with pytest.raises(PerturbationError, match=r"no value of background-video 'trafic'. Did you mean 'traffic'"):
        world.perturb([0], [[Perturbation("background-video", 1.0, value="trafic")]])
    world.restore([0])
    assert np.array_equal(world.reset(seed=3)[0]["image"], nominal)


def test_pictures_for_people_of_the_same_size_leave_the_background_to_the_policys(open_world):
    world = open_world(1, image_size=84)
    world.perturb([0], [[Perturbation("background-image", 1.0)]])
    seen = world.reset(seed=0)[0]["image"].copy()
    kept = world.snapshot([0])
    world.simulations[0].view.configure(world.simulations[0].view.asked)  # nothing is known of the background
    first = world.frames([0], 84)
    assert np.array_equal(world.rewind([0], kept)["image"], seen)
    assert np.array_equal(world.frames([0], 84), first)


def test_worlds_with_other_pools_show_other_pictures(open_world):
    shown = []
    for pool in (0, 1):
        world = open_world(1, pool=pool)
        world.perturb(
            [0], [[Perturbation("table-texture", 1.0, seed=1), Perturbation("background-image", 1.0, seed=1)]]
        )
        shown.append(world.reset(seed=3)[0]["image"][0].astype(int))
    assert np.abs(shown[0] - shown[1]).mean() > 5
