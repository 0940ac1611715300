import json

import pytest
from adversarl_rewards.bench.errors import NoFrameDetector

EVERY = ("overall", "nominal")


def test_one_that_always_says_yes_scores_a_half_and_one_that_says_the_truth_scores_1(bench, frames_file):
    code, found, _ = bench(
        "--detector", "tiny-yes", "--detector", "tiny-oracle", "--set", f"tiny-oracle.file={frames_file}", "--json"
    )
    assert code == 0
    yes, oracle = found["detectors"]["tiny-yes"], found["detectors"]["tiny-oracle"]
    for part in EVERY:
        assert yes[part]["balanced_accuracy"]["value"] == yes[part]["auroc"]["value"] == 0.5
        assert oracle[part]["balanced_accuracy"]["value"] == oracle[part]["auroc"]["value"] == 1
        assert oracle[part]["calibration_error"] == 0
    assert oracle["progress"]["overall"]["value"] == 1
    assert oracle["held_out_axes"] == ["brightness"]
    assert {row["balanced_accuracy"]["value"] for row in oracle["held_out"]} == {1}
    assert all(cell["false_positives"]["value"] == 1 for cell in yes["cells"] if cell["false_positives"]["n"])


def test_the_json_says_what_was_measured_and_how(bench, truth, design):
    _, found, _ = bench("--detector", "tiny-yes", "--detector", "state", "--json")
    assert found["design"] == design.to_json()
    assert found["frames"]["n"] == len(truth)
    assert found["reference"] == ["state"]
    assert "adversarl-rewards" in found["runs"][0]["versions"]
    yes = found["detectors"]["tiny-yes"]
    assert yes["component"] == "tiny-yes"
    assert yes["options"]["threshold"] == 0.5
    assert yes["usd_per_1000"] == 0
    for size in ("1", "16"):
        assert 0 < yes["speed"][size]["cpu_ms"]
        assert 0 < yes["speed"][size]["steps"]


def test_all_that_are_usable_are_measured_and_the_others_are_told(bench):
    code, found, _ = bench("--max-frames", "60", "--json")
    missing = found["missing"]
    assert code == 130  # one of them presses Ctrl-C
    assert "tiny-paid" not in missing
    assert missing["tiny-oracle"] == "--set: [tiny-oracle] file: is missing. It has no default"
    assert missing["tiny-blind"] == "it sees nothing at all"
    assert missing["tiny-closed"] == "it judged no frame: no key is set. Set one"
    assert missing["tiny-compares"].startswith("reward 'tiny-compares' compares pictures with others of their episode")
    assert found["reference"] == ["state"]


def test_one_that_was_asked_for_and_cannot_be_used_is_an_error(bench):
    for name, problem in {
        "tiny-oracle": "--set: [tiny-oracle] file: is missing. It has no default",
        "tiny-blind": "it sees nothing at all",
        "tiny-closed": "it judged no frame: no key is set. Set one",
        "tiny-compares": "so it cannot be asked about single ones",
        "tiny-yess": "--detector: no reward named 'tiny-yess'. Did you mean 'tiny-yes'?",
    }.items():
        code, _, error = bench("--detector", name)
        assert code == 2
        assert problem in " ".join(error.replace("│", "").split()), error


def test_the_error_names_those_that_can_be_measured():
    assert str(NoFrameDetector("goal-image", ["yes", "clip"])) == (
        "reward 'goal-image' compares pictures with others of their episode, so it cannot be asked about single ones. "
        "Those that can be measured: clip, yes"
    )


def test_a_spent_budget_ends_a_measurement_and_what_was_paid_for_counts(bench, truth):
    code, found, _ = bench("--detector", "tiny-paid", "--json")
    paid = found["detectors"]["tiny-paid"]
    assert code == 0
    assert paid["stopped"] == "its budget is spent"
    assert paid["overall"]["n"] == 40 < len(truth)
    assert paid["overall"]["coverage"]["value"] == 1
    assert paid["cost_usd"] == pytest.approx(0.4)
    assert paid["usd_per_1000"] == pytest.approx(10)
    assert paid["speed"]["step_ms"] is None
    assert paid["speed"]["16"]["ms"] > 0


def test_ctrl_c_keeps_what_was_judged(bench):
    code, found, _ = bench(
        "--detector", "tiny-yes", "--detector", "tiny-interrupted", "--detector", "b=tiny-yes", "--json"
    )
    assert code == 130
    assert found["stopped"] == "interrupted"
    assert list(found["detectors"]) == ["tiny-yes", "tiny-interrupted"]
    assert found["detectors"]["tiny-interrupted"]["overall"]["n"] == 40


def test_the_most_frames_are_drawn_from_all_conditions(bench, design):
    _, found, _ = bench("--detector", "tiny-yes", "--max-frames", "90", "--json")
    yes = found["detectors"]["tiny-yes"]
    assert yes["overall"]["n"] == 90
    assert {row["axis"] for row in yes["axes"]} == set(design.axes)


def test_a_detector_can_be_measured_twice_with_other_keys(bench):
    _, found, _ = bench(
        "--detector", "tiny-yes", "--detector", "calm=tiny-yes", "--set", "calm.threshold=0.9", "--json",
    )  # fmt: skip
    assert [row["options"]["threshold"] for row in found["detectors"].values()] == [0.5, 0.9]
    assert found["detectors"]["calm"]["component"] == "tiny-yes"


def test_keys_come_from_a_recipe_and_its_monitors(bench, tmp_path):
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        '[backend]\nuse = "point-mass"\n[reward]\nuse = "tiny-yes"\nthreshold = 0.7\n[learner]\nuse = "random-search"\n'
        '[watch.monitors.strict]\nuse = "tiny-yes"\nthreshold = 0.8\n'
    )
    _, found, _ = bench(
        "--recipe", recipe, "--detector", "tiny-yes", "--detector", "strict=tiny-yes",
        "--set", "strict.confidence=0.6", "--json",
    )  # fmt: skip
    options = {label: row["options"] for label, row in found["detectors"].items()}
    assert options["tiny-yes"]["threshold"] == 0.7
    assert (options["strict"]["threshold"], options["strict"]["confidence"]) == (0.8, 0.6)


def test_a_key_of_nobody_is_named(bench):
    code, _, error = bench("--detector", "tiny-yes", "--set", "tiny-yess.threshold=0.9")
    assert code == 2
    problem = "--set tiny-yess.threshold=0.9: no reward named 'tiny-yess'. Did you mean 'tiny-yes'?"
    assert problem in " ".join(error.replace("│", "").split())


def test_the_tables_have_a_row_for_each(bench, frames_file):
    code, text, _ = bench(
        "--detector", "state", "--detector", "tiny-yes", "--detector", "tiny-oracle", "--detector", "tiny-paid",
        "--set", f"tiny-oracle.file={frames_file}",
    )  # fmt: skip
    assert code == 0
    assert "is the truth" in text
    assert "0.50 [0.50, 0.50]" in text
    assert "held out" in text
    assert "10.00" in text
    assert "tiny-paid stopped after 40 of" in text


def test_with_nothing_but_the_truth_nothing_is_measured(bench):
    code, text, _ = bench("--detector", "state")
    assert code == 0
    assert "nothing to measure" in text


def test_earlier_results_stand_beside_new_ones(bench, tmp_path):
    earlier = tmp_path / "earlier.json"
    _, first, _ = bench("--detector", "tiny-yes", "--json")
    earlier.write_text(json.dumps(first))
    _, found, _ = bench("--detector", "calm=tiny-yes", "--beside", earlier, "--json")
    assert list(found["detectors"]) == ["tiny-yes", "calm"]
    assert [row["run"] for row in found["detectors"].values()] == [1, 0]
    assert len(found["runs"]) == 2
    assert found["detectors"]["tiny-yes"]["overall"] == first["detectors"]["tiny-yes"]["overall"]
    again = bench("--detector", "state", "--beside", earlier, "--json")[1]
    assert again["detectors"]["tiny-yes"] == {**first["detectors"]["tiny-yes"], "run": 1}


def test_results_on_other_frames_do_not_stand_beside(bench, tmp_path):
    earlier = tmp_path / "earlier.json"
    first = bench("--detector", "tiny-yes", "--json")[1]
    earlier.write_text(json.dumps(first | {"design": first["design"] | {"seed": 7}}))
    code, _, error = bench("--detector", "tiny-yes", "--beside", earlier)
    assert code == 2
    problem = "its detectors were measured on other frames: seed = 7, not 0. Name a file that was written by"
    assert problem in " ".join(error.replace("│", "").split())


def test_a_file_that_holds_no_results_is_named(bench, tmp_path):
    path = tmp_path / "other.json"
    path.write_text("{}")
    code, _, error = bench("--detector", "tiny-yes", "--beside", path)
    assert code == 2
    assert "it holds no results of this benchmark" in " ".join(error.replace("│", "").split())


@pytest.mark.parametrize("names", [["tiny-yes"], ["tiny-yes", "tiny-oracle", "tiny-paid", "b=tiny-yes"]])
def test_pictures_are_written(bench, frames_file, tmp_path, names):
    from PIL import Image

    asked = [word for name in names for word in ("--detector", name)]
    keys = ["--set", f"tiny-oracle.file={frames_file}"] if "tiny-oracle" in names else []
    code, text, _ = bench(*asked, *keys, "--plots", tmp_path / "plots")
    assert code == 0
    written = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert written == ["rewards-axes.png", "rewards-reliability.png", "rewards-robustness.png"]
    for name in written:
        assert f"{tmp_path / 'plots' / name}" in text
        with Image.open(tmp_path / "plots" / name) as picture:
            assert min(picture.size) > 200
            assert len(set(picture.convert("L").resize((60, 60)).tobytes())) > 10
