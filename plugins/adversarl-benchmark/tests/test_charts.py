import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from adversarl_benchmark.charts import Line, Span, heat, intervals, lines, png, scatter, shares, svg
from adversarl_benchmark.charts_style import DARK, INK, PAPER, looks, variables
from PIL import Image

NAMES = ("baseline", "static", "adaptive", "no-dr", "random-prompts", "warm-start", "oracle")
LOOKS = looks([(name, index > 2) for index, name in enumerate(NAMES)])
ROWS = ((0.0, 0.9, 0.8, 1.0), (0.5, 0.5, 0.4, 0.6), (1.0, 0.2, 0.1, 0.3))


def curve(ax):
    lines(ax, [Line("baseline", ROWS), Line("no-dr", ROWS)], LOOKS)
    shares(ax, "success")


def luminance(color):
    """Relative luminance (WCAG 2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_chart_is_valid_and_has_no_color_and_no_size_of_its_own():
    text = svg(curve, "Success", LOOKS)
    root = ET.fromstring(text)
    assert root.get("viewBox") == "0 0 360 250"
    assert root.get("width") is None
    assert not re.findall(r"#[0-9a-f]{6}", text)
    assert "var(--c0)" in text
    assert "var(--ink)" not in text.split("<g", 1)[0]


def test_text_is_text_in_the_pages_font():
    text = svg(curve, "Success", LOOKS)
    assert ">success</text>" in text
    assert "font-family" not in text


def test_a_chart_names_what_is_seen():
    assert 'role="img" aria-label="Success &lt;mixed&gt;"' in svg(curve, "Success <mixed>", LOOKS)


def test_the_same_chart_is_the_same_text():
    assert svg(curve, "Success", LOOKS) == svg(curve, "Success", LOOKS)


def test_names_inside_two_charts_do_not_meet():
    named = [set(re.findall(r' id="([^"]+)"', svg(curve, label, LOOKS))) for label in ("one", "two")]
    assert named[0]
    assert not named[0] & named[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_condition_can_be_seen_in_light_and_in_dark(name):
    assert contrast(LOOKS[name].light, PAPER) >= 3
    assert contrast(LOOKS[name].dark, DARK[PAPER]) >= 3
    assert contrast(DARK[INK], DARK[PAPER]) >= 7


def test_no_two_conditions_share_color_or_marker():
    for one, other in combinations(LOOKS.values(), 2):
        assert one.light != other.light
        assert one.dark != other.dark
        assert one.marker != other.marker


def test_a_condition_keeps_its_color_whatever_stands_beside_it():
    alone = looks([("adaptive", False)])["adaptive"]
    assert (alone.light, alone.dark, alone.marker) == (
        LOOKS["adaptive"].light, LOOKS["adaptive"].dark, LOOKS["adaptive"].marker,
    )  # fmt: skip


def test_names_of_ones_own_have_colors_of_their_own():
    mine = looks([(f"mine-{index}", False) for index in range(4)])
    assert len({look.light for look in mine.values()}) == 4
    assert len({look.marker for look in mine.values()}) == 4


def test_both_modes_declare_the_same_variables():
    declared = [set(re.findall(r"(--[\w-]+):", variables(LOOKS, dark=dark))) for dark in (False, True)]
    assert declared[0] == declared[1] >= {"--ink", "--paper", "--c0", "--c6"}


def test_intervals_stand_in_their_order_with_their_values():
    spans = [Span("first", "+3", 0.03, 0.01, 0.05, "adaptive"), Span("second", "0", 0.0, -0.01, 0.01, "baseline")]
    text = svg(lambda ax: intervals(ax, spans, LOOKS, zero=True), "Differences", LOOKS)
    places = [float(re.search(rf'y="([\d.]+)"[^>]*>{re.escape(name)}<', text)[1]) for name in ("first", "second")]
    assert places[0] < places[1]
    assert ">+3</text>" in text


def test_a_sheet_of_charts_is_written_for_a_paper(tmp_path):
    points = [{"condition": "adaptive", "distance": 0.1 * k, "success": 1 - 0.1 * k} for k in range(5)]
    panels = [
        ("curve", curve),
        ("points", lambda ax: scatter(ax, points, LOOKS)),
        ("heat", lambda ax: heat(ax, ["a"], ["x", "y"], [[0.9, float("nan")]])),
    ]
    png(panels, tmp_path / "media" / "sheet.png", LOOKS, columns=2)
    picture = Image.open(tmp_path / "media" / "sheet.png").convert("RGB")
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.getcolors(2**20)) > 50
