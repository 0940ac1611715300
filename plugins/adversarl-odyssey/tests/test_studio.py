import asyncio

import numpy as np
import pytest
from adversarl_odyssey.emulator.studio import SHOWN_FIRST, Studio
from adversarl_odyssey.errors import OdysseyError

from adversarl.errors import UnknownComponent

SCENE = "a robot at a table"
DARK = "a robot at a table. The room is almost dark."


@pytest.fixture
def play(emulator):
    """``play(script)`` runs ``async def script(studio)`` with a studio of two stages."""

    def run(script, **options):
        async def work():
            studio = Studio(size=(48, 80), fps=10, stages=2, **options)
            try:
                return await script(studio)
            finally:
                await studio.close()

        return asyncio.run(work())

    return run


async def seen(stage, pictures=1):
    for _ in range(pictures - 1):
        await stage.picture()
    return await stage.picture()


def test_a_prompt_decides_what_is_seen(play):
    async def script(studio):
        pictures = []
        for prompt in (SCENE, SCENE, "another robot at a table"):
            stage = await studio.open(prompt)
            pictures.append(await seen(stage))
            await stage.close()
        return pictures

    one, same, other = play(script)
    assert one.shape == (48, 80, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_conditions_of_the_first_prompt_hold_from_the_first_picture(play):
    async def script(studio):
        plain, dark = await studio.open(SCENE), await studio.open(DARK)
        return (await seen(plain)).mean(), (await seen(dark)).mean()

    plain, dark = play(script)
    assert dark < 0.8 * plain


def test_an_empty_scene_has_no_robot_that_would_stand_behind_another_one(play):
    async def script(studio):
        room = await studio.open("An empty wooden table in a workshop. The robot is green.")
        still = await seen(room)
        await room.tell("pick up the cube")
        same = await seen(room, 12)
        await room.tell("dim the lights")
        dim = await seen(room)
        await room.close()
        return still, same, dim, await seen(await studio.open("An empty room and a robot"))

    still, same, dim, robot = play(script)
    assert np.array_equal(still, same)
    assert dim.mean() < 0.8 * still.mean()
    assert np.abs(robot.astype(int) - still).max() > 60


def test_words_add_up_and_a_whole_description_takes_the_place_of_all(play):
    async def script(studio):
        stage = await studio.open(SCENE)
        levels = [(await seen(stage)).mean(axis=(0, 1))]
        for text in ("dim the lights", "make the cube green", f"{SCENE}. Dim the lights.", SCENE, "x y z"):
            assert await stage.tell(text) == text
            levels.append((await seen(stage)).mean(axis=(0, 1)))
        return levels

    plain, dim, dim_green, dim_again, restored, same = play(script)
    assert dim.mean() < 0.8 * plain.mean()
    assert not np.allclose(dim_green, dim)
    assert np.allclose(dim_again, dim, rtol=0.05)
    assert np.allclose(restored, plain, rtol=0.05)
    assert np.allclose(same, plain, rtol=0.05)


def test_going_back_to_normal_goes_back_to_the_first_prompt(play):
    async def script(studio):
        stage = await studio.open(DARK)
        dark = (await seen(stage)).mean()
        await stage.tell("make the lights very bright")
        bright = (await seen(stage)).mean()
        await stage.tell("restore everything")
        return dark, bright, (await seen(stage)).mean()

    dark, bright, again = play(script)
    assert bright > 1.2 * dark
    assert abs(again - dark) < 0.05 * dark


def test_the_robot_obeys_the_last_sentence_about_it(play):
    async def script(studio):
        stage = await studio.open(SCENE)
        await stage.tell("The robot arm moves down.")
        pictures = [await seen(stage, 6)]
        await stage.tell("The robot arm moves up.")
        pictures.append(await seen(stage, 12))
        await stage.tell("pick up the cube")
        pictures.append(await seen(stage, 12))
        return [picture.astype(int) for picture in pictures]

    down, up, picking = play(script)
    assert np.abs(down - up).mean() > 1
    assert np.abs(up - picking).mean() > 1


def test_an_image_is_shown_first_then_stands_behind_the_scene_and_leaves_with_the_stream(play):
    image = np.zeros((30, 90, 3), np.uint8)
    image[..., 2] = 255

    async def script(studio):
        stage = await studio.open(SCENE, image=image)
        first = await seen(stage)
        behind = await seen(stage, SHOWN_FIRST)
        await stage.close()
        return first, behind, await seen(await studio.open(SCENE))

    first, behind, without = play(script)
    assert np.array_equal(np.unique(first.reshape(-1, 3), axis=0), [[0, 0, 255]])
    blue = np.array([0, 0, 255])
    assert (behind == blue).all(axis=-1).mean() > 0.05
    assert not (without == blue).all(axis=-1).any()


def test_pictures_of_any_shape_are_cut_before_they_are_scaled(play):
    async def script(studio):
        for shape in ((1, 1), (1, 60_000), (60_000, 1), (4000, 3)):
            stage = await studio.open(SCENE, image=np.full((*shape, 3), 7, np.uint8))
            assert ((await seen(stage)) == 7).all()
            assert (await seen(stage, SHOWN_FIRST)).shape == (48, 80, 3)
            await stage.close()

    play(script)


def test_a_world_in_which_a_stream_cannot_begin_is_closed(play):
    async def script(studio):
        await (await studio.open(SCENE)).close()
        (world,) = studio._made
        world.simulations.clear()
        with pytest.raises(IndexError):
            await studio.open(SCENE)
        stage = await studio.open("\ud800, which is no letter")
        assert (await seen(stage)).any()
        assert studio.in_use == 1
        assert world.closed
        assert world not in studio._made

    play(script)


def test_upright_pictures_are_upright(play):
    async def script(studio):
        stage = await studio.open(SCENE, portrait=True, image=np.zeros((9, 90, 3), np.uint8))
        return (await seen(stage)).shape, (await seen(stage, SHOWN_FIRST)).shape

    assert play(script) == ((80, 48, 3), (80, 48, 3))


def test_stages_are_lent_and_given_back(play):
    async def script(studio):
        one, two = await studio.open(SCENE), await studio.open(SCENE)
        with pytest.raises(RuntimeError, match="2 stages"):
            await studio.open(SCENE)
        await one.close()
        await one.close()
        with pytest.raises(RuntimeError, match="closed"):
            await one.picture()
        three = await studio.open(SCENE)
        assert studio.in_use == 2
        await two.close()
        await three.close()
        assert studio.in_use == 0

    play(script)


def test_an_episode_that_is_over_goes_on(play):
    async def script(studio):
        stage = await studio.open("pick up the cube")
        return await seen(stage, 250), await seen(stage)

    before, after = play(script)
    assert before.shape == after.shape


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [({"task": "pik"}, OdysseyError, "'pick'"), ({"world": "mujok"}, UnknownComponent, "mujok")],
)
def test_a_world_that_cannot_be_made_is_named_and_takes_no_stage(play, options, error, text):
    async def script(studio):
        with pytest.raises(error, match=text):
            await studio.open(SCENE)
        assert studio.in_use == 0

    play(script, **options)
