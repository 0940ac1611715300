"""What is training now."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from adversarl_dashboard import common
from adversarl_dashboard.charts import Chart
from adversarl_dashboard.previews import Previews, backend_of
from adversarl_dashboard.readers.episodes import rolling
from adversarl_dashboard.readers.files import number, part, rows_of
from adversarl_dashboard.readers.runs import Run
from adversarl_dashboard.views.resume import offer_resume

EVERY_S = 3.0
"""The page looks again so often [s]."""


def show() -> None:
    """The page."""
    st.title("Live")
    st.fragment(_now, run_every=EVERY_S)()


def _now() -> None:
    runs = common.library().runs()
    if runs:
        _overview(runs)
    run = common.choose_run(runs, "live_run")
    if run is not None:
        _details(run)


def _overview(runs: list[Run]) -> None:
    rows = [_row(run) for run in runs]
    counts = [f"{sum(row['state'] == state for row in rows)} {state}" for state in common.COLORS]
    shown = ", ".join(text for text in counts if not text.startswith("0 "))
    st.caption(f"{len(rows)} run{'s'[: len(rows) > 1]}: {shown}", help=_states())
    progress: dict[str, Any] = {"format": "percent", "min_value": 0.0, "max_value": 1.0}
    columns = {
        "run": st.column_config.TextColumn("run", width="medium"),
        "state": "state",
        "success": st.column_config.ProgressColumn("success, last 100", **progress),
        "done": st.column_config.ProgressColumn("done", color="#8b95a1", **progress),
        "env_steps": st.column_config.NumberColumn("env steps", format="localized"),
        "curriculum": "curriculum",
        "learner": "learner",
        "changed": "last change",
    }
    common.table(rows, columns, height=250)


def _row(run: Run) -> dict[str, Any]:
    successes, n = run.recent
    steps, total = run.env_steps, run.total_steps
    row = {"run": run.name, "state": run.state, "success": successes / n if n else None, "env_steps": steps}
    row |= {"done": min(1.0, steps / total) if total else None, "changed": _ago(run.changed_at)}
    return row | {"curriculum": run.used("curriculum"), "learner": run.used("learner")}


def _states() -> str:
    return "\n".join(f"- **{state}**: {meaning}" for state, meaning in common.MEANINGS.items())


def _ago(then: float) -> str:
    seconds = max(0.0, time.time() - then)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "now" if seconds < 10 else f"{seconds:.0f} s ago"


def _details(run: Run) -> None:
    run.episodes.refresh()
    _numbers(run)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Success", anchor=False)
        _success(run)
        st.subheader("Failure modes", anchor=False)
        _failures(run)
    with right:
        st.subheader("Prompt now", anchor=False)
        _prompt(run)
        st.subheader("Frames now", anchor=False)
        _frames(run)
        _costs(run)
        _notices(run)
    offer_resume(run)


def _numbers(run: Run) -> None:
    successes, n = run.recent
    reports = run.last("reports", 1)
    nominal = part(reports[-1], "nominal") if reports else {}
    solved, played = number(nominal.get("successes")), number(nominal.get("n"))
    value = solved / played if solved is not None and played else None
    total = run.total_steps
    with st.container(horizontal=True, gap="medium"):
        for label, text in (
            ("State", run.state),
            ("Success, last 100", common.percent(successes / n if n else None)),
            ("Nominal", common.percent(value)),
            ("Episodes", f"{len(run.episodes):,}"),
            ("Env steps", f"{run.env_steps:,}" + (f" / {total:,}" if total else "")),
        ):
            st.metric(label, text, width="content")


def _success(run: Run) -> None:
    episodes = run.episodes
    if not len(episodes):
        st.caption("No episode has finished yet.")
        return
    chart = Chart("environment steps", "success, last 100")
    training, nominal = episodes.training, episodes.nominal
    n = min(len(training), len(nominal))
    for name, which in (("perturbed", ~nominal[:n]), ("nominal", nominal[:n])):
        x, y = rolling(episodes, which)
        if x:
            chart.line(name, x, y)
    if training.any() and not training.all():
        begin = int(episodes.env_steps[: len(training)][training.argmax()])
        chart.mark(begin, "training begins")
    chart.show("live_success")
    if episodes.spoilt:
        st.caption(f"{episodes.spoilt} lines of episodes.jsonl cannot be read and are left out.")


def _prompt(run: Run) -> None:
    rows = run.last("curriculum", 12)
    if not rows:
        st.caption("No prompt yet: every episode so far was nominal.")
        return
    row = rows[-1]
    st.markdown(f"**{common.escaped(_short(str(row.get('text', '')), 280))}**")
    st.markdown(f"*Why:* {common.escaped(_short(str(row.get('why', '')), 280))}")
    st.caption(f"Episode {row.get('episode')}, {_when(row)}.")
    if isinstance(words := row.get("not_understood"), list) and words:
        st.warning(common.escaped(f"not understood: {', '.join(map(str, words))}"))
    with st.expander("Prompts before it"):
        earlier = [{**one, "step": _when(one)} for one in reversed(rows[:-1])]
        common.table(earlier, {"episode": "episode", "text": "prompt", "why": "why", "step": "when"})


def _when(row: dict[str, Any]) -> str:
    if row.get("refused"):
        return f"not trained on: {row['refused']}"
    step = row.get("took_effect")
    if step is None:
        return "the episode ended before it took effect"
    return "in force from the reset" if step == 0 else f"in force from step {step}"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


@st.cache_resource(show_spinner=False)
def _previews() -> Previews:
    return Previews()


def _frames(run: Run) -> None:
    preview = _previews().look(run, common.studio(backend_of(run)))
    if preview is None:
        st.caption("There are frames when the first episode has finished.")
    elif not preview.film.done():
        st.caption(f"Drawing episode {preview.row.get('index')} …")
    elif (problem := preview.film.exception()) is not None:
        common.explain(problem)
    else:
        from adversarl_dashboard.film import caption, enlarged, perturbations_of

        film, perturbations = preview.film.result(), perturbations_of(preview.row)
        with st.container(horizontal=True):
            for step, frame in film.frames.items():
                st.image(enlarged(frame), caption=f"step {step}", width=170)
        st.caption(
            f"Episode {preview.row['index']}, drawn again from its seed and perturbations "
            f"({common.escaped(_short(caption(perturbations, film.length // 2), 160))}). "
            "A run keeps no pictures: the scripted teacher acts here, not the policy."
        )


def _failures(run: Run) -> None:
    reports = run.last("reports", 1)
    report = reports[-1] if reports else {}
    named = [*rows_of(report, "modes"), *rows_of(report, "kinds")]
    sentences = [str(one["sentence"]) for one in named if one.get("sentence")]
    if not sentences:
        known = "The last report blames no condition." if reports else "No report yet."
        st.caption(f"{known} Which classifier reports is [failure] of the recipe: {run.used('failure') or 'none'}.")
        return
    st.markdown("\n".join(f"- {common.escaped(sentence)}" for sentence in sentences))
    st.caption(f"Reported at {number(report.get('env_steps')) or 0:,.0f} environment steps.")


def _costs(run: Run) -> None:
    costs = run.costs
    if costs:
        st.subheader("Cost", anchor=False)
        common.table([{"what": name, "usd": usd} for name, usd in costs.items()], {
            "what": "what", "usd": st.column_config.NumberColumn("USD", format="%.4f"),
        })  # fmt: skip


def _notices(run: Run) -> None:
    notices = run.last("notices", 5)
    if notices:
        st.subheader("Notices", anchor=False)
        lines = (f"{row.get('source', '')}: {row.get('text', '')}" for row in reversed(notices))
        st.markdown("\n".join(f"- {common.escaped(line)}" for line in lines))
