import json

import pytest
from adversarl_dashboard.readers.benchmarks import (
    comparison_rows,
    condition_rows,
    curve_names,
    curves,
    find_benchmarks,
)


@pytest.fixture
def folder(tmp_path, results):
    (tmp_path / "runs" / "inside").mkdir(parents=True)
    (tmp_path / "benchmarks" / "beside").mkdir(parents=True)
    (tmp_path / "runs" / "inside" / "results.json").write_text(json.dumps(results))
    (tmp_path / "benchmarks" / "beside" / "benchmark.json").write_text("{}")
    return tmp_path / "runs"


def test_benchmarks_are_found_in_the_folder_and_beside_it(folder):
    found = {one.name: one for one in find_benchmarks(folder)}
    assert set(found) == {"inside", "beside"}
    assert found["beside"].results == {}
    assert found["inside"].report is None
    (folder / "inside" / "report.html").write_text("<p>report</p>")
    assert found["inside"].report == folder / "inside" / "report.html"
    assert [one.name for one in find_benchmarks(folder / "inside")] == ["inside"]


def test_results_become_rows(results):
    (row,) = condition_rows(results)
    assert (row["condition"], row["auc"], row["auc_interval"]) == ("adaptive", 0.5, "40 to 60 %")
    assert (row["nominal"], row["to_threshold"], row["held_out"], row["seeds"]) == (None, None, True, 2)
    (row,) = comparison_rows(results)
    assert (row["comparison"], row["verdict"], row["sentence"]) == ("adaptive with baseline", "better", "It is better.")
    assert curve_names(results) == ["mixed"]
    assert curves(results, "mixed") == {"adaptive": [{"intensity": 0.0, "value": 0.5, "low": 0.4, "high": 0.6}]}


@pytest.mark.parametrize("spoilt", [{}, {"conditions": 3, "comparisons": [4], "curves": "x"}, {"conditions": [{}]}])
def test_results_that_are_spoilt_have_no_rows_or_empty_ones(spoilt):
    assert comparison_rows(spoilt) == []
    assert all(row["auc"] is None for row in condition_rows(spoilt))
    assert curves(spoilt, "mixed") == {}
    assert curve_names(spoilt) == []
