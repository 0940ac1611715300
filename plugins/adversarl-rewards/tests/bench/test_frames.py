from dataclasses import fields, replace

import numpy as np
import pytest
from adversarl_rewards.bench.errors import FramesError, NoAxes, OtherFrames
from adversarl_rewards.bench.frames import frames_of, load, save, stratified
from adversarl_rewards.bench.run import design_of

from adversarl.errors import PerturbationError


def test_every_visual_axis_is_there_at_every_intensity_beside_as_many_nominal_episodes(design, truth, world):
    visual = tuple(axis.name for axis in world.axes if axis.group == "visual")
    assert design.axes == visual
    episodes = {axis: len(np.unique(truth.episode[truth.axis == axis])) for axis in np.unique(truth.axis).tolist()}
    assert episodes == {**dict.fromkeys(visual, 2 * 4), "nominal": 2 * len(visual)}
    assert set(truth.intensity[truth.axis != "nominal"].tolist()) == {0.25, 0.5, 0.75, 1.0}


def test_solved_and_unsolved_frames_are_balanced(truth):
    assert truth.success.mean() == pytest.approx(0.5, abs=0.08)
    assert set(truth.kind) == {"solved", "near", "apart"}


def test_the_same_design_gives_the_same_frames(design, truth, world):
    again = design.make(world, lambda done, total: None)
    assert np.array_equal(again.frames, truth.frames)


def test_frames_are_made_once_and_then_read(design, truth, tmp_path):
    made = []

    def make():
        made.append(1)
        return truth

    for _ in range(2):
        found = frames_of(design, tmp_path / "f.npz", make)
    assert made == [1]
    for field in fields(truth):
        assert np.array_equal(
            getattr(found, field.name), getattr(truth, field.name), equal_nan=field.name == "progress"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["f.npz"]


def test_frames_without_a_file_are_made(design, truth):
    assert frames_of(design, None, lambda: truth) is truth


def test_frames_of_another_design_are_refused(design, truth, tmp_path):
    path = tmp_path / "f.npz"
    save(path, design, truth)
    with pytest.raises(OtherFrames) as error:
        load(path, replace(design, seed=3))
    problem = "it holds frames with seed = 0, not 3. Ask for the same ones, or name another file"
    assert str(error.value) == f"--frames {path}: {problem}"


def test_a_file_that_holds_no_frames_is_named(design, tmp_path):
    path = tmp_path / "f.npz"
    path.write_text("nothing")
    with pytest.raises(FramesError) as error:
        load(path, design)
    again = "Name one that is not there yet, and it will be written"
    assert str(error.value) == f"--frames {path}: it holds no frames. {again}"
    np.savez(path, other=np.zeros(2))
    with pytest.raises(FramesError, match=f"it cannot be read: .*{again}"):
        load(path, design)


def test_a_folder_that_is_not_there_is_told_before_anything_is_played(design, tmp_path):
    with pytest.raises(FramesError) as error:
        frames_of(design, tmp_path / "none" / "f.npz", lambda: pytest.fail("played"))
    assert f"there is no folder {tmp_path / 'none'}. Make it, or name another file" in str(error.value)


def test_every_beginning_of_the_order_has_its_share_of_every_condition(truth):
    order = stratified(truth, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(len(truth)))
    half = truth.rows(order[: len(truth) // 2])
    for axis in np.unique(truth.axis):
        for success in (True, False):
            all_of = ((truth.axis == axis) & (truth.success == success)).sum()
            some_of = ((half.axis == axis) & (half.success == success)).sum()
            assert abs(some_of - all_of / 2) <= 5


def test_axes_and_intensities_can_be_chosen(small, recipe, world):
    asked = replace(small, axes=("brightness",), intensities=(1.0, 0.0, 0.5))
    found = design_of(asked, recipe["backend"], world)
    assert (found.axes, found.intensities, found.nominal) == (("brightness",), (0.5, 1.0), 2)


def test_an_unknown_axis_is_named(small, recipe, world):
    with pytest.raises(PerturbationError, match=r"the world has no axis 'bright'\. Did you mean 'brightness'\?"):
        design_of(replace(small, axes=("bright",)), recipe["backend"], world)


def test_a_world_without_visual_axes_says_what_to_do(small, recipe, world):
    class Plain:
        axes = tuple(axis for axis in world.axes if axis.group != "visual")
        task = world.task

    with pytest.raises(NoAxes) as error:
        design_of(small, recipe["backend"], Plain())
    advice = "Name others with --axis; see: adversarl axes list"
    assert str(error.value) == f"backend 'point-mass' varies no visual axis. {advice}"
