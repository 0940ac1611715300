import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from adversarl_odyssey import bench, bench_commands, bench_tables
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure import change, figures, loops, probe, watch
from adversarl_odyssey.measure.watch import bounded
from adversarl_odyssey.measure.worlds import catalogue
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sdk import find_sdk
from typer.testing import CliRunner

SCENE = "A robot arm stands at a table in a bright room."


class Film:
    """A video of noise, as compression leaves it, over a scene that may move by itself."""

    def __init__(self, drift=0.0):
        self.rng, self.drift, self.number = np.random.default_rng(0), drift, 0
        self.scene = self.rng.uniform(60, 180, (88, 160, 3))

    def next(self):
        self.scene = self.scene + self.drift
        noisy = np.clip(self.scene + self.rng.normal(0, 6, self.scene.shape), 0, 255).astype(np.uint8)
        self.number += 1
        return change.Arrived(self.number, 0.05 * self.number, change.reduce(noisy))

    def take(self, count):
        return [self.next() for _ in range(count)]


def test_noise_is_no_change():
    film = Film()
    assert change.Change(film.take(change.QUIET)).first(film.take(60)) is None


def test_a_world_that_moves_by_itself_has_not_changed():
    film = Film(drift=0.4)
    assert change.Change(film.take(change.QUIET)).first(film.take(12)) is None


@pytest.mark.parametrize("place", [slice(None), slice(40, 56)], ids=["everywhere", "in a small place"])
def test_a_change_is_seen_at_its_first_picture(place):
    film = Film()
    judge = change.Change(film.take(change.QUIET))
    same = film.take(3)
    film.scene[place, place] += 40
    changed = film.take(4)
    assert judge.first(same + changed).number == changed[0].number


def test_one_odd_picture_is_no_change():
    film = Film()
    judge = change.Change(film.take(change.QUIET))
    film.scene += 40
    odd = film.take(1)
    film.scene -= 40
    assert judge.first(odd + film.take(5)) is None


def test_pictures_of_any_size_have_as_many_blocks():
    sizes = [(352, 640), (704, 1280), (1280, 704), (96, 160)]
    assert {max(change.reduce(np.zeros((*size, 3), np.uint8)).shape) for size in sizes} == {change.GRID}


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [figures.median(rng.exponential(size=20).tolist()) for _ in range(2000)]
    held = np.mean([row["low"] <= np.log(2) <= row["high"] for row in found])
    assert 0.95 <= held <= 0.97
    assert figures.median(range(1, 21)) == {"median": 10.5, "low": 6.0, "high": 15.0, "n": 20}


def test_few_values_have_a_median_and_no_interval():
    assert figures.median([3.0, 1.0, 2.0]) == {"median": 2.0, "low": None, "high": None, "n": 3}
    assert figures.median([])["median"] is None


def test_a_slope_is_not_moved_by_outliers():
    times = np.arange(50.0)
    values = 2 * times + 7
    values[::9] += 1000
    assert figures.slope(times, values) == pytest.approx(2.0, abs=0.2)
    assert figures.slope([1.0], [5.0]) == 0.0


def test_every_axis_with_words_has_a_sentence():
    said = catalogue()
    assert {"light-intensity: dim", "light-color: color"} <= said.keys()
    assert all(text.endswith(".") and "{" not in text for text in said.values())


def small(url, *sections, **more):
    service = ServiceOptions(scene=SCENE)
    return bench.Settings(url, sections, seconds=1.0, repeats=2, service=service, client="thin", **more)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(bench, "CONNECTS", 2)
    monkeypatch.setattr(bench, "SCRIPT_S", 1.0)
    monkeypatch.setattr(bench, "HYBRID_ROUNDS", 1)


def test_streams_jobs_and_loops_are_measured(emulator, quick, capsys):
    told = []
    found = bench.measure(small(emulator.url, "stream", "jobs", "loop"), told.append)
    assert bench.errors(found) == []
    results = found["results"]["service"]
    assert results["stream"]["pictures"]["width"] == 160
    assert results["stream"]["prompts"]["unseen"] == 0
    assert results["stream"]["prompts"]["first_changed_ms"]["n"] == 2
    assert results["jobs"]["simulate"]["decoded"] == results["jobs"]["simulate"]["frame_count"]
    assert results["jobs"]["listing"]["second"] == "cancelled"
    assert results["jobs"]["recording"]["decoded"] > 0
    assert results["loop"]["latest"]["steps"] == 20
    json.dumps(found)
    bench_tables.show(found)
    assert "prompt acknowledged" in capsys.readouterr().out
    assert emulator.key not in json.dumps(found)


def test_the_hybrid_world_is_measured_beside_the_same_world_without_streams(emulator, quick):
    found = bench.measure(small(emulator.url, "hybrid"), lambda what: None)
    assert bench.errors(found) == []
    assert found["results"]["service"]["hybrid"]["ratio"]["n"] == 1


def test_the_effect_of_words_is_told_from_that_of_none(emulator, quick, monkeypatch):
    dark = "The room is almost dark."
    monkeypatch.setattr(bench, "sentences", lambda: {"dark": dark, "nothing": "It is as it is."})
    settings = small(emulator.url, "effects", effect_repeats=2, wait_s=0.8)
    found = bench.measure(settings, lambda what: None)
    assert bench.errors(found) == []
    rows = {row["axis"]: row for row in found["results"]["service"]["effects"]["axes"]}
    assert (rows["dark"]["reliable"], rows["nothing"]["reliable"]) == (2, 0)
    assert rows["dark"]["brighter"] < -10


def test_what_cannot_be_measured_is_said_and_the_rest_goes_on(emulator, quick):
    emulator.faults.switch("suspended")
    found = bench.measure(small(emulator.url, "stream", "jobs"), lambda what: None)
    assert "stream" in bench.errors(found)[0]
    bench_tables.show(found)


@pytest.fixture
def app():
    app = typer.Typer()
    bench_commands.add(app)
    return app


def test_a_service_that_costs_money_says_how_much_and_wants_a_yes(app, monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_a_key_of_nobody")
    done = CliRunner().invoke(app, ["odyssey", "--url", "https://service.invalid"])
    assert isinstance(done.exception, OdysseyError)
    assert "USD" in str(done.exception)
    assert "--yes" in str(done.exception)
    assert "ody_a_key_of_nobody" not in done.output + str(done.exception)


def test_a_service_needs_a_key_before_anything_is_said_of_money(app, monkeypatch):
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)
    done = CliRunner().invoke(app, ["odyssey", "--url", "https://service.invalid", "--yes"])
    assert "ODYSSEY_API_KEY is not set" in str(done.exception)


def test_the_address_may_stand_in_the_environment(emulator, monkeypatch):
    assert bench.given_url(None) == emulator.url
    monkeypatch.delenv("ODYSSEY_API_URL")
    assert bench.given_url(None) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "steam"], "Did you mean 'stream'?"),
        (["--size", "big"], "Write it like 640x352"),
        (["--client", "thick"], "Did you mean 'thin'?"),
    ],
)
def test_words_that_mean_nothing_are_refused(app, words, told, monkeypatch):
    monkeypatch.delenv("ODYSSEY_API_URL", raising=False)
    assert told in str(CliRunner().invoke(app, ["odyssey", *words]).exception)


def test_the_key_of_the_user_is_back_afterwards(monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_mine")
    with bench.borrowed_key("ody_other"):
        assert os.environ["ODYSSEY_API_KEY"] == "ody_other"
    assert os.environ["ODYSSEY_API_KEY"] == "ody_mine"
    monkeypatch.delenv("ODYSSEY_API_KEY")
    with bench.borrowed_key("ody_other"):
        pass
    assert "ODYSSEY_API_KEY" not in os.environ


def test_an_old_stream_is_started_anew_between_measurements(emulator, monkeypatch):
    monkeypatch.setattr(watch, "OLD_S", 0.0)

    async def twice():
        sdk = find_sdk("thin", emulator.url)
        async with watch.watched(sdk.Odyssey(emulator.key, api_url=emulator.url)) as found:
            await found.start(SCENE)
            before = found.frames.count
            await found.renew()
            await found.interact(SCENE, 10)
            return before, found.frames.count

    before, after = asyncio.run(twice())
    assert after > before
    assert emulator.stats()["streams"] == 0


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(found, limit_s=60.0):
    end = time.monotonic() + limit_s
    while not (result := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return result


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_benchmark_that_is_ended_takes_its_emulator_with_it(monkeypatch):
    monkeypatch.delenv("ODYSSEY_API_URL", raising=False)
    words = ["bench", "odyssey", "--only", "stream", "--size", "160x96", "--client", "thin"]
    command = [sys.executable, "-m", "adversarl", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        server = until(lambda: children(process.pid))[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) != 0
    until(lambda: not Path(f"/proc/{server}").exists())


def test_a_call_that_never_returns_is_given_up():
    with pytest.raises(OdysseyError, match="took more than"):
        asyncio.run(bounded(asyncio.sleep(60), 0.05, "nothing"))


def test_the_plan_of_a_benchmark_is_what_its_settings_say():
    plan = small(None, "stream").plan()
    assert isinstance(plan, probe.Plan)
    assert (plan.scene, plan.seconds, plan.repeats) == (SCENE, 1.0, 2)
    assert loops.HOLD > 1
