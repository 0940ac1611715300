"""The command, a real server and Chromium on runs of the built-in world."""

import json
import shutil

import pytest
from adversarl_dashboard.bench.browser import IDLE, browser, chromium, served, settle
from adversarl_dashboard.bench.measure import READY

pytest.importorskip("playwright")
POINTS = [{"intensity": level, "value": 1 - level, "low": 0.0, "high": 1.0} for level in (0.0, 0.5, 1.0)]
pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    for name in ("first", "second"):
        shutil.copytree(made, folder / name)
    (folder / "bench").mkdir()
    results = {"curves": ["mixed"], "conditions": [{"name": "adaptive", "curves": {"mixed": POINTS}}]}
    (folder / "bench" / "results.json").write_text(json.dumps(results))
    (folder / "bench" / "report.html").write_text("<h1>The report of a benchmark</h1>")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with served(folder) as url:
        yield url


@pytest.fixture(scope="module")
def engine():
    with browser() as started:
        yield started


@pytest.fixture
def tab(engine):
    with engine.new_context(viewport={"width": 1440, "height": 900}) as context:
        yield context.new_page()


def contents(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def widest(tab):
    """How far to the right the page reaches [pixel]."""
    return tab.evaluate(
        "Math.max(...[...document.querySelectorAll('html, [data-testid=stMain]')].map(e => e.scrollWidth))"
    )


def test_every_page_loads_narrow_and_wide_without_errors_or_sideways_overflow(server, engine, folder):
    before = contents(folder)
    with engine.new_context(viewport={"width": 390, "height": 844}) as context:
        for page, ready in READY.items():
            tab, asked = context.new_page(), []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(f"{server}/{page}" if page != "live" else server)
            settle(tab, ready)
            for width in (390, 1440):
                tab.set_viewport_size({"width": width, "height": 844})
                tab.wait_for_timeout(300)
                assert widest(tab) <= width, (page, width)
            assert tab.locator('[data-testid="stException"]').count() == 0, page
            foreign = [url for url in asked if not url.startswith((server, "data:", "blob:", "ws"))]
            assert not foreign, f"{page} asks the network for {foreign}"
            tab.close()
    assert contents(folder) == before


def test_the_theme_follows_the_browser(server, engine):
    brightness = {}
    for scheme in ("light", "dark"):
        with engine.new_context(color_scheme=scheme) as context:
            tab = context.new_page()
            tab.goto(f"{server}/replay")
            settle(tab, READY["replay"])
            color = tab.evaluate("getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor")
            brightness[scheme] = sum(int(part) for part in color[4:-1].split(","))
    assert brightness["light"] > 700
    assert brightness["dark"] < 120


def test_a_typed_prompt_changes_the_picture_and_its_unknown_words_are_told(server, tab):
    tab.goto(f"{server}/playground")
    settle(tab, READY["playground"])
    picture = tab.locator('[data-testid="stImage"] img').nth(1)
    first = picture.get_attribute("src")
    box = tab.get_by_label("Prompt")
    box.fill("dim the light strongly purple")
    box.press("Enter")
    tab.get_by_text("Not understood: purple").wait_for()
    settle(tab, READY["playground"])
    assert picture.get_attribute("src") != first
    assert tab.locator('[data-testid="stImage"] img').nth(0).get_attribute("src") != picture.get_attribute("src")


def test_replay_shows_frames_that_a_slider_moves_through(server, tab):
    tab.goto(f"{server}/replay?run=second")
    settle(tab, READY["replay"])
    tab.get_by_role("button", name="Play it again").click()
    picture = tab.locator(".film img")
    picture.wait_for(timeout=60_000)
    first = picture.get_attribute("src")
    tab.locator(".film input").evaluate("e => { e.value = e.max; e.oninput(); }")
    assert picture.get_attribute("src") != first
    shown, last = tab.locator(".film output").inner_text().split(" / ")
    assert shown == last
    assert tab.get_by_text("The policy is not: it is the one of environment step").count() == 1


def test_live_takes_in_what_a_run_appends_by_itself(server, tab, folder):
    tab.goto(f"{server}/?run=first")
    settle(tab, READY["live"])
    path = folder / "first" / "curriculum.jsonl"
    row = json.loads(path.read_text().splitlines()[-1]) | {"text": "paint it green", "why": "somebody asked"}
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    tab.get_by_text("somebody asked").wait_for(timeout=30_000)
    assert tab.get_by_text("paint it green").count() == 1


def test_the_report_is_shown_inside_the_page(server, tab):
    tab.goto(f"{server}/benchmark")
    settle(tab, READY["benchmark"])
    tab.get_by_text("Show it here").click()
    frame = tab.frame_locator("iframe")
    frame.get_by_text("The report of a benchmark").wait_for(timeout=30_000)
    assert tab.locator(IDLE).count() == 1
