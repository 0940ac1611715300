from adversarl_dashboard.charts import PALETTE, Chart

POINTS = [{"intensity": 0.0, "value": 1.0, "low": 0.9, "high": 1.0}]


def colors(spec):
    return spec["layer"][0]["encoding"]["color"]["scale"]


def test_each_curve_has_a_color_of_its_own_and_the_first_one_comes_again_after_the_last():
    chart = Chart("steps")
    for number in range(9):
        chart.line(f"run {number}", [0, 1], [0.0, 1.0])
    scale = colors(chart.spec())
    assert scale["domain"] == [f"run {number}" for number in range(9)]
    assert scale["range"] == [*PALETTE, PALETTE[0]]


def test_a_band_is_drawn_behind_its_curve_and_only_where_there_are_intervals():
    plain, banded = Chart("steps"), Chart("intensity")
    plain.line("a", [0], [0.5])
    banded.band("a", POINTS)
    marks = [[layer["mark"]["type"] for layer in chart.spec()["layer"][0]["layer"]] for chart in (plain, banded)]
    assert marks == [["line", "point"], ["area", "line", "point"]]


def test_the_chart_stays_the_same_when_data_come_in_so_that_it_does_not_flicker():
    before, after = Chart("steps"), Chart("steps")
    before.line("a", [0], [0.5])
    after.line("a", [0, 1], [0.5, 0.6])
    assert before.spec() == after.spec()
