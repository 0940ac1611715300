import json
import shutil

import pytest
from adversarl_dashboard.readers.runs import Run
from adversarl_dashboard.server import Settings
from adversarl_dashboard.views.resume import start
from streamlit.testing.v1 import AppTest

PAGES = ("live", "compare", "benchmark", "replay", "playground")
SCRIPT = "from adversarl_dashboard.views import {page}\n{page}.show()\n"


@pytest.fixture
def opened(monkeypatch):
    """Opens a page on a folder."""

    def open_page(page, folder, *, allow_run=False):
        monkeypatch.setenv("ADVERSARL_DASHBOARD", "{}")
        Settings(folder, allow_run).to_environment()
        app = AppTest.from_string(SCRIPT.format(page=page), default_timeout=60).run()
        assert not app.exception, app.exception[0].message
        return app

    return open_page


def texts(app):
    return "\n".join(element.value for kind in ("markdown", "caption", "info", "warning") for element in app.get(kind))


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_folder_is_told_what_to_do(opened, tmp_path, page):
    (tmp_path / "runs").mkdir()
    app = opened(page, tmp_path / "runs")
    if page != "playground":
        assert app.code[0].value.startswith("adversarl ")


@pytest.mark.parametrize("page", PAGES)
def test_spoilt_folders_break_no_page(opened, spoilt, page):
    app = opened(page, spoilt)
    for select in app.selectbox:
        for name in [*select.options][:6]:
            app.selectbox(key=select.key).set_value(name).run()
            assert not app.exception, f"{name}: {app.exception[0].message}"
    if page == "compare":
        app.multiselect(key="compare_runs").set_value(app.multiselect(key="compare_runs").options).run()
        assert not app.exception, app.exception[0].message


def test_live_shows_success_prompt_and_why(opened, runs):
    app = opened("live", runs)
    row = json.loads((runs / "first" / "curriculum.jsonl").read_text().splitlines()[-1])
    assert {metric.label for metric in app.metric} >= {"State", "Success, last 100", "Episodes"}
    assert app.metric[0].value == "finished"
    assert row["why"].split(":")[0] in texts(app)
    assert "drawn uniformly" in texts(app)


def test_live_follows_the_journals(opened, runs):
    shutil.rmtree(runs / "second")
    app = opened("live", runs)
    before = next(metric.value for metric in app.metric if metric.label == "Episodes")
    path = runs / "first" / "episodes.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[-1])
    after = next(metric.value for metric in app.run().metric if metric.label == "Episodes")
    assert int(after) == int(before) + 1


def test_live_says_how_to_resume_and_offers_it_only_where_allowed(opened, runs):
    shutil.rmtree(runs / "second")
    (runs / "first" / "summary.json").unlink()
    app = opened("live", runs)
    assert app.code[0].value.endswith("--resume")
    assert not app.button
    assert opened("live", runs, allow_run=True).button[0].label == "Resume it now"


def test_compare_shows_outcomes_curves_and_where_recipes_differ(opened, runs):
    path = runs / "second" / "recipe.toml"
    path.write_text(path.read_text().replace("seed = 0", "seed = 7"))
    app = opened("compare", runs)
    outcomes, recipes = app.dataframe[0].value, app.dataframe[1].value
    assert outcomes["run"].tolist() == ["first", "second"]
    assert outcomes["seed"].tolist() == [0, 7]
    assert recipes["key"].tolist() == ["run.seed"]
    assert len(app.get("vega_lite_chart")) == 2
    app.multiselect(key="compare_runs").set_value([]).run()
    assert "Choose at least one run" in texts(app)


def test_benchmark_lists_conditions_and_verdicts_and_embeds_the_report(opened, tmp_path, results):
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "report.html").write_text("<h1>The report</h1>")
    app = opened("benchmark", tmp_path)
    assert app.dataframe[0].value["condition"].tolist() == ["adaptive"]
    assert "better" in texts(app)
    assert "It is better" in texts(app)
    app.toggle(key="benchmark_report").set_value(True).run()
    assert not app.exception
    assert len(app.get("iframe")) == 1


@pytest.mark.parametrize("player", ["policy", "teacher"])
def test_replay_plays_an_episode_again(opened, runs, player):
    app = opened("replay", runs)
    app.radio(key="replay_player").set_value(player).run()
    app.button[0].click().run()
    assert not app.exception
    assert "Now: " in texts(app)
    assert len(app.session_state["films"]) == 1


def test_replay_finds_the_nearest_episode_of_a_kind(opened, runs):
    rows = [json.loads(line) for line in (runs / "first" / "episodes.jsonl").read_text().splitlines()]
    nominal = [row["index"] for row in rows if not row["perturbations"]]
    app = opened("replay", runs)
    app.segmented_control(key="replay_kind").set_value("nominal").run()
    assert app.number_input[0].value == nominal[-1]
    assert f"Episode {nominal[-1]}" in texts(app)
    assert "It had no prompt" in texts(app)


def test_the_playground_grounds_what_is_typed_and_warns_of_the_rest(opened, runs):
    app = opened("playground", runs)
    app.text_input(key="playground_text").set_value("dim the light at 80 % purple").run()
    assert "Not understood: purple" in texts(app)
    table = app.dataframe[0].value
    assert (table["axis"][0], table["intensity"][0]) == ("brightness", 0.8)


def test_an_example_and_a_degree_make_the_prompt(opened, runs):
    app = opened("playground", runs)
    app.segmented_control(key="playground_degree").set_value("strongly").run()
    example = app.session_state["playground_example"]
    assert app.text_input(key="playground_text").value == f"{example} strongly"
    assert app.dataframe[0].value["intensity"][0] == 1.0


def test_the_button_resumes_a_run_that_stopped(runs):
    (runs / "first" / "summary.json").unlink()
    run = Run(runs / "first", "first")
    assert run.state == "stopped"
    assert start(run).wait(timeout=120) == 0
    assert run.state == "finished"
    assert "environment steps" in (runs / "first" / "resume.log").read_text()
