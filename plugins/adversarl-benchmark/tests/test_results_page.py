import json
from pathlib import Path

import pytest
from adversarl_benchmark.report import Media
from adversarl_benchmark.results_page import COMMENT, write_page

ROOT = Path(__file__).parents[3]
RESULTS, PREFACE = ROOT / "docs/results/benchmark.json", ROOT / "docs/results/benchmark-preface.md"
PAGE = ROOT / "docs/results.md"


@pytest.fixture
def published():
    if not RESULTS.exists():
        pytest.skip("the documentation does not come with the package")
    return json.loads(RESULTS.read_text())


def lines(text):
    """What does not depend on pictures of scenes, which the numbers do not hold."""
    return [line for line in text.splitlines() if "frames.png" not in line and "First frames" not in line and line]


def test_the_published_page_says_what_the_published_numbers_say(published, tmp_path):
    page = tmp_path / "results.md"
    notes = ["Films of failures are in the report beside the runs."]
    write_page(published, Media(notes=notes), page, PREFACE.read_text())
    assert lines(page.read_text()) == lines(PAGE.read_text())
    assert page.read_text().startswith(COMMENT)


def test_the_published_comparison_has_five_seeds_and_every_control(published):
    seeds = {one["name"]: len(one["seeds"]) for one in published["conditions"]}
    assert {"baseline", "static", "adaptive", "no-dr", "random-prompts", "warm-start", "oracle"} <= set(seeds)
    assert all(count >= 5 for name, count in seeds.items() if name != "oracle")
    assert all(one["held_out"] for one in published["conditions"])
