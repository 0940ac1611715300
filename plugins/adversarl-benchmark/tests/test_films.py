import io
import runpy
from pathlib import Path

import numpy as np
import pytest
from adversarl_benchmark.films import encode, failure_films, telling
from PIL import Image

from adversarl.cli.evaluate import load_run
from adversarl.evaluate import evaluate
from adversarl.plugins import build_plugin_manager
from adversarl.types import Cell, Perturbation

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("report_example.py")))
SEEDS = (2**31 + 5, 2**31 + 6, 2**31 + 7)
HOPELESS = (Perturbation("mass", 1.0), Perturbation("action-noise", 1.0), Perturbation("object-size", 1.0))


def cells_of(curve, intensities):
    return [Cell(curve, strength, SEEDS, ((), (), ())) for strength in intensities]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    plugins = build_plugin_manager()
    return plugins, EXAMPLE["trained"](tmp_path_factory.mktemp("films") / "run", plugins)


def test_the_mildest_failure_of_every_curve_comes_first():
    cells = [*cells_of("fog", (0.5, 1.0)), *cells_of("glare", (0.25, 0.5)), *cells_of("easy", (1.0,))]
    outcomes = {
        ("fog", 0.5): (True, True, False), ("fog", 1.0): (False,) * 3, ("glare", 0.25): (True,) * 3,
        ("glare", 0.5): (False, False, True), ("easy", 1.0): (True,) * 3,
    }  # fmt: skip
    assert [(cell.axis, cell.intensity, index) for cell, index in telling(cells, outcomes)] == [
        ("glare", 0.5, 0), ("fog", 0.5, 2),
    ]  # fmt: skip


def test_a_cell_that_nobody_played_is_not_filmed():
    assert telling(cells_of("fog", (0.5,)), {}) == []


def test_failures_are_filmed_from_their_start_to_their_end(run):
    plugins, folder = run
    cells = [Cell("hard", 0.5, SEEDS, (HOPELESS,) * 3), Cell("harder", 1.0, SEEDS, (HOPELESS,) * 3)]
    outcomes = played(folder, plugins, cells)
    films = failure_films(folder, "baseline", cells, outcomes, plugins, count=1, size=64)
    assert [(film.condition, film.seed, film.curve) for film in films] == [("baseline", 0, "hard")]
    moving = Image.open(io.BytesIO(films[0].webp))
    assert moving.size == (64, 64)
    assert moving.is_animated
    assert moving.n_frames > 10
    assert not Image.open(io.BytesIO(films[0].still)).is_animated


def played(folder, plugins, cells):
    """Outcomes of the run's own policy."""
    _, loop, learner = load_run(folder, plugins, [])
    results = evaluate(learner.act, loop.parts.world, cells)
    loop.close()
    return {(cell.axis, cell.intensity): cell.success for cell in results}


def test_a_reported_failure_that_succeeds_now_is_left_out(run):
    plugins, folder = run
    easy = [Cell("easy", 0.0, SEEDS, ((), (), ()))]
    success = played(folder, plugins, easy)["easy", 0.0]
    assert any(success), "the fixture's policy never succeeds"
    index = success.index(True)
    claimed = tuple(at != index for at in range(3))
    assert failure_films(folder, "baseline", easy, {("easy", 0.0): claimed}, plugins) == []


def test_a_film_rests_on_its_last_picture():
    moving = Image.open(io.BytesIO(encode([np.full((8, 8, 3), shade, np.uint8) for shade in (0, 120, 240)])))
    durations = []
    for frame in range(moving.n_frames):
        moving.seek(frame)
        moving.load()
        durations.append(moving.info["duration"])
    assert durations == [50, 50, 1000]
