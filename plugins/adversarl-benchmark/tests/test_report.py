import json
import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from adversarl_benchmark import report_words as words
from adversarl_benchmark.films import Film, encode
from adversarl_benchmark.frames import Frame
from adversarl_benchmark.page import page
from adversarl_benchmark.report import Media, films_within, write_report
from adversarl_benchmark.reproduce import find_cell, read_results
from PIL import Image

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("report_example.py")))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FEW = ("fog", "mixed", "prompts")
SIZES = [(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")]


def pictures(count, size=128):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (size, size, 3), dtype=np.uint8) for _ in range(count)]


def media(results):
    one, two = pictures(2, 64)
    frames = {
        curve: [Frame(strength, one if strength < 0.5 else two) for strength in results["intensities"]]
        for curve in results["curves"][:-1]
    }
    frames["prompts"] = [Frame(s, one, text) for text in ("dim it by {percent} %", "paint it") for s in (0.0, 1.0)]
    webp = encode(pictures(6, 64))
    films = [Film("adaptive", 0, "fog", 0.5, 3, webp, encode([one])), Film("static", 1, "glare", 1.0, 0, webp, webp)]
    return Media(frames, films, ["No frames of mixed-pbr: there is no Vulkan."])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    results = EXAMPLE["results"]()
    folder = tmp_path_factory.mktemp("report")
    return results, write_report(results, media(results), folder)


@pytest.fixture(scope="module")
def text(written):
    return written[1].read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def leaking():
    """The text of a page, without what it carries for machines, whose training met the suite."""
    return re.sub(r"<script.*?</script>", "", page(EXAMPLE["results"](leak=True, curves=FEW), Media()), flags=re.DOTALL)


def test_the_page_is_one_file_of_at_most_10_mb(written, text):
    assert written[1].stat().st_size < 10_000_000
    linked = re.findall(r'(?:src|href|srcset)="([^"#][^"]{0,20})', text)
    assert linked
    assert all(one.startswith("data:") for one in linked)
    assert "@import" not in text
    assert "url(http" not in text


def test_the_verdicts_come_first(text):
    first = [text.index(word) for word in ("adaptive is better than baseline by 11.2 points", "<svg", "<table", "<img")]
    assert first == sorted(first)
    assert "Not enough episodes to tell adaptive from random-prompts" in text


@pytest.mark.parametrize(
    "content",
    [
        "Robustness AUC", "Set-up time", "Hand-written lines", "Steps to threshold", "Paired differences",
        "AUC of every curve", "Sample efficiency", "Performance profiles", "Success and visual distance",
        "scenes look like", "paint it", "Prompts and what they did", "How they fail", "How it was measured",
        "What it does not show", "Provenance", "b67eb45", "adversarl benchmark recipes/baseline.toml",
        "adversarl reproduce report.html --condition baseline",
    ],
)  # fmt: skip
def test_the_page_shows(content, text):
    assert content in text


def test_every_curve_has_a_chart_a_row_of_the_heat_map_and_frames(text):
    for curve in EXAMPLE["CURVES"]:
        assert f'aria-label="Success by intensity, {curve}"' in text
        assert f'<th scope="row">{curve}</th>' in text
        assert f'alt="{curve} at 1"' in text


def test_the_page_carries_its_results(written):
    results, path = written
    assert read_results(path) == json.loads(json.dumps(results))
    key, success = find_cell(read_results(path), "adaptive", 2, "fog", 0.75, path)
    assert key == "adaptive/2/fog/0.75"
    assert len(success) == 20


def test_results_cannot_end_the_script_that_carries_them(tmp_path):
    results = EXAMPLE["results"](curves=FEW)
    results["command"] = "echo '</script><b>'"
    path = write_report(results, Media(), tmp_path)
    assert path.read_text().count("</script>") == 1
    assert read_results(path)["command"] == results["command"]


def test_names_from_outside_are_escaped():
    results = EXAMPLE["results"](curves=FEW)
    results["prompts"] = {
        "adaptive": [
            {"text": "<img src=x onerror=alert(1)>", "n": 1, "success": 1, "low": 0, "high": 1, "effect": None}
        ]
    }
    shown = page(results, Media()).split('<script type="application/json"')[0]
    assert "<img src=x" not in shown
    assert "&lt;img src=x" in shown


def test_a_leak_is_listed_at_the_top_and_the_word_is_refused(leaking):
    assert leaking.index("Not held out.") < leaking.index("adaptive is better")
    assert "thick fog at 50" in leaking
    assert "axis &#39;fog&#39; is unseen" in leaking
    assert "held-out" not in leaking.lower()
    assert '<span class="mark worse">Not held out</span>' in leaking


def test_without_a_leak_nothing_is_refused(text):
    assert "held-out robustness" in text
    assert "Not held out" not in text


def test_few_seeds_are_called_a_smoke_test(text):
    results = EXAMPLE["results"](curves=FEW)
    results["seeds"] = [0, 1, 2]
    assert "Only 3 seeds: a smoke test." in page(results, Media())
    assert "smoke test" not in text


def test_what_is_not_known_is_no_number():
    results = EXAMPLE["results"](curves=FEW)
    unknown = {"value": None, "low": 0.0, "high": 1.0, "n": 0}
    for one in results["conditions"]:
        one |= {"learning": [], "auc": unknown, "cost_usd": None, "wall_clock_s": None}
        one["profile"] = {"tau": [0.0, 1.0], "value": [], "low": [], "high": []}
        one["auc_by_curve"] = {curve: unknown for curve in results["curves"]}
    results |= {"visual_distance": None, "prompts": {}, "comparisons": []}
    shown = page(results, Media())
    assert "No run was evaluated along the way" in shown
    assert "No two conditions were compared." in shown
    assert "nan" not in re.sub(r"<script.*?</script>", "", shown, flags=re.DOTALL).lower().replace("provenance", "")


def test_markdown_has_the_same_numbers_and_its_pictures(written):
    results, path = written
    said = (path.parent / "report.md").read_text()
    for row in words.rows_of_table(results["conditions"]):
        assert f"{row['auc'][0]} ({row['auc'][1]})" in said
    pictures = re.findall(r"\]\((media/[^)]+)\)", said)
    assert {"media/robustness.png", "media/frames.png", "media/adaptive-0-fog-0.5-3.webp"} <= set(pictures)
    for name in pictures:
        Image.open(path.parent / name).verify()


def test_films_that_do_not_fit_stay_in_their_folder():
    films = [Film("a", 0, "fog", 0.5, index, bytes(400), bytes(100)) for index in range(5)]
    assert films_within(films, 1200) == films[:2]


@pytest.mark.parametrize(
    ("function", "argument", "expected"),
    [
        (words.share, 0.617, "62 %"), (words.share, None, "n/a"), (words.points, 0.112, "+11"),
        (words.points, -0.004, "0"), (words.seconds, 6.84, "6.8 s"), (words.seconds, 412.0, "6.9 min"),
        (words.seconds, 7560.0, "2.1 h"), (words.dollars, 0.4, "$0.40"), (words.count, 40960, "40,960"),
        (words.when, "2026-11-21T20:00:00Z", "2026-11-21 20:00 UTC"),
        (words.bounds, {"value": 0.6, "low": 0.58, "high": 0.64}, "58 to 64"),
    ],
)  # fmt: skip
def test_numbers_read_as_people_write_them(function, argument, expected):
    assert function(argument) == expected


def test_steps_say_how_many_seeds_arrived():
    found = {"median": 22000, "reached": 4, "of": 5}
    assert words.steps(found, 50_000) == "22,000 (4 of 5)"
    assert words.steps({**found, "median": None, "reached": 2}, 50_000) == "not reached (2 of 5)"
    assert words.steps(found, 0) == "n/a"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_browser_shows_all_of_it_without_overflow_and_asks_nobody(written, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab, asked, said = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url[:60]))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(written[1].as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
    assert tab.evaluate(broken) == []
    outside = """[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg')
        && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 60))"""
    assert tab.evaluate(outside) == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 27)"
    assert dark == (scheme == "dark")
    context.close()


def test_it_prints_on_white_whatever_the_screen(written, browser):
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto(written[1].as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.pdf()[:4] == b"%PDF"
    context.close()


def test_a_prompt_of_many_requests_is_told_by_its_ends():
    from adversarl_benchmark.report_words import brief

    assert brief("dim the light at 5 %") == "dim the light at 5 %"
    many = "move the light at 5 %, blur it at 5 %, add fog at 5 %, add rain at 5 % and tilt the camera at 5 %"
    assert brief(many) == "move the light at 5 %, … and tilt the camera at 5 % (5 requests)"
