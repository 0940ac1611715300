"""Tables of the documentation that mkdocs builds from the components themselves, so that they cannot be out of date."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adversarl.cli.plugins import OPTION_COLUMNS, option_rows
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import RunOptions
from adversarl.registry import KINDS, Component
from adversarl.watch import WatchOptions

RESULTS = Path(__file__).parent / "results"
AXES_COMMENT = re.compile(r"<!-- axes: (\w+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The mkdocs event: replaces the comments that stand for tables."""
    markdown = markdown.replace("<!-- options: run -->", options(RunOptions))
    markdown = markdown.replace("<!-- options: watch -->", options(WatchOptions))
    if "<!-- components -->" in markdown:
        markdown = markdown.replace("<!-- components -->", components(build_plugin_manager()))
    if "<!-- axes: " in markdown:
        markdown = AXES_COMMENT.sub(lambda found: axes(found[1]), markdown)
    for comment, table in RESULT_TABLES.items():
        if comment in markdown:
            markdown = markdown.replace(comment, table())
    if "<!-- tasks -->" in markdown:
        markdown = markdown.replace("<!-- tasks -->", tasks())
    return markdown.replace("<!-- presets -->", presets()) if "<!-- presets -->" in markdown else markdown


def axes(group: str) -> str:
    """The axes of a group of the MuJoCo world."""
    from adversarl_mujoco.axes import AXES

    chosen = [axis for axis in AXES if axis.group == group]
    rows = [
        [f"`{a.name}`", f"{a.summary}{'' if a.mid_episode else ' At the reset.'}", a.bound, a.source] for a in chosen
    ]
    return _table(["axis", "what", "at intensity 1", "source of the range"], rows)


def presets() -> str:
    """The presets of the MuJoCo world with their ranges."""
    from adversarl_mujoco.presets import PRESETS

    lines = []
    for preset in PRESETS:
        rows = [[f"`{r.axis}`", "" if r.value is None else str(r.value), f"{r.high:.3g}"] for r in preset.ranges]
        lines += [f"### `{preset.name}`", "", f"{preset.summary} Source: {preset.source}.", ""]
        lines += [_table(["axis", "value", "intensity up to"], rows), ""]
    return "\n".join(lines)


def comparison() -> str:
    """What ``adversarl bench curricula`` found, from the results file."""
    found = json.loads((RESULTS / "curricula.json").read_text(encoding="utf-8"))
    controls = sorted({control for row in found["summary"] for control in row["against"]})
    columns = ["curriculum", "success on the hard set", "unsolvable in training", "steps aside"]
    rows = [
        [
            row["curriculum"],
            f"{row['hard']['value']:.2f} [{row['hard']['low']:.2f}, {row['hard']['high']:.2f}]",
            f"{row['unsolvable']:.0%}",
            f"{row['trial_env_steps']:,.0f}",
            *(_gap(row["against"].get(control)) for control in controls),
        ]
        for row in found["summary"]
    ]
    return _table([*columns, *(f"against {control}" for control in controls)], rows)


def streams() -> str:
    """What ``adversarl bench odyssey`` found of streams, from the results file."""
    found = json.loads((RESULTS / "odyssey.json").read_text(encoding="utf-8"))
    sizes: dict[str, Any] = found["results"]
    rows = [[label, *(read(size) for size in sizes.values())] for label, read in STREAM_ROWS.items()]
    return f"{_table(['median, 95 % interval', *sizes], rows)}\n\n{_provenance(found)}"


def _provenance(found: dict[str, Any]) -> str:
    client, machine = found["client"], found["machine"]
    who = f"Client: {client['name']} {client['version']}, Python {machine['python']}"
    return f"{who}, seed {found['settings']['seed']}, load of the machine {machine['load']:.0f}."


def _ms(row: dict[str, Any]) -> str:
    bounds = "" if row["low"] is None else f" [{row['low']:.0f}, {row['high']:.0f}]"
    return f"{row['median']:.0f}{bounds} ms, n={row['n']}"


STREAM_ROWS = {
    "connect": lambda size: _ms(size["stream"]["connect_ms"]),
    "pictures per second": lambda size: f"{size['stream']['pictures']['fps']:.1f}",
    "interval, 99th percentile": lambda size: f"{size['stream']['pictures']['interval_ms']['p99']:.0f} ms",
    "prompt acknowledged": lambda size: _ms(size["stream"]["prompts"]["acknowledged_ms"]),
    "first changed picture after a prompt": lambda size: _ms(size["stream"]["prompts"]["first_changed_ms"]),
    "first changed picture after an action": lambda size: _ms(size["stream"]["actions"]["first_changed_ms"]),
    "in a loop of 20 Hz: action to picture": lambda size: _ms(size["loop"]["latest"]["action_to_picture_ms"]),
    "age of the picture in that loop": lambda size: f"{size['loop']['latest']['age_ms']['p50']:.0f} ms",
    "4 s of video by simulate()": lambda size: f"{size['jobs']['simulate']['completed_s']:.1f} s",
}


def words() -> str:
    """What ``adversarl bench odyssey --only effects`` found of prompts, from the results file."""
    found = json.loads((RESULTS / "odyssey-words.json").read_text(encoding="utf-8"))
    (size,) = found["results"].values()
    rows = [
        [
            row["axis"],
            row["sentence"],
            f"{row['changed']:.1f}",
            f"{row['by_itself']:.1f}",
            f"{row['reliable']} of {row['n']}",
        ]
        for row in size["effects"]["axes"]
    ]
    columns = ["axis", "sentence", "change [grey levels]", "without a prompt", "clearly seen"]
    return f"{_table(columns, rows)}\n\n{_provenance(found)}"


def _rewards() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "rewards.json").read_text(encoding="utf-8"))
    return found


def rewards() -> str:
    """What ``adversarl bench rewards`` found, a row for each detector, from the results file."""
    found = _rewards()
    columns = ["detector", "frames", "balanced accuracy", "AUROC", "calibration error", "Brier", "false yes"]
    columns += ["false yes, near", "missed", "judged", "progress"]
    rows = []
    for label, row in found["detectors"].items():
        overall = row["overall"]
        near = next((kind["false_positives"] for kind in row["kinds"] if kind["kind"] == "near"), None)
        figures = [_bounded(overall["balanced_accuracy"]), _bounded(overall["auroc"])]
        figures += [_figure(overall[key]) for key in ("calibration_error", "brier", "false_positives")]
        figures += [_figure(near), _figure(overall["false_negatives"]), _figure(overall["coverage"])]
        rows.append([f"`{label}`", f"{overall['n']:,}", *figures, _figure(row["progress"]["overall"])])
    design, frames, run = found["design"], found["frames"], found["runs"][0]
    what = f"{frames['n']:,} frames of {frames['episodes']:,} episodes, {frames['solved']:.0%} solved"
    about = f'"{design["task"]}", {len(design["axes"])} axes, {what}, seed {design["seed"]}, Python {run["python"]}.'
    return f"{_table(columns, rows)}\n\n{about}"


def rewards_by_intensity() -> str:
    """Balanced accuracy of each detector by intensity, and on the axes that its training kept out."""
    found = _rewards()
    levels = found["design"]["intensities"]
    rows = []
    for label, detector in found["detectors"].items():
        for part, name in {"intensities": "all", "seen": "in training", "held_out": "kept out"}.items():
            cells = {row["intensity"]: _bounded(row["balanced_accuracy"]) for row in detector.get(part, ())}
            nominal = _bounded(detector["nominal"]["balanced_accuracy"]) if part == "intensities" else ""
            if cells:
                rows.append([f"`{label}`", name, nominal, *(cells.get(level, "") for level in levels)])
    return _table(["detector", "axes", "nominal", *(f"{level:g}" for level in levels)], rows)


def rewards_costs() -> str:
    """What each detector takes."""
    columns = ["detector", "ms a frame", "in 16s", "of the processor", "in 16s", "steps of the world", "in 16s"]
    rows = []
    for label, detector in _rewards()["detectors"].items():
        one, many = detector["speed"]["1"], detector["speed"]["16"]
        times = [_figure(size[key], ".1f") for key in ("ms", "cpu_ms", "steps") for size in (one, many)]
        rows.append([f"`{label}`", *times, _figure(detector["usd_per_1000"])])
    return _table([*columns, "USD per 1,000 frames"], rows)


def rewards_worst() -> str:
    """The five axes under which each detector is worst, all intensities together, of those with 30 frames or more."""
    rows = []
    for label, detector in _rewards()["detectors"].items():
        known = [row for row in detector["axes"] if row["n"] >= 30 and row["balanced_accuracy"]["value"] is not None]
        for row in sorted(known, key=lambda row: row["balanced_accuracy"]["value"])[:5]:
            rates = [_bounded(row[key]) for key in ("balanced_accuracy", "false_positives", "false_negatives")]
            mark = " (kept out)" if row["axis"] in detector["held_out_axes"] else ""
            rows.append([f"`{label}`", f"`{row['axis']}`{mark}", str(row["n"]), *rates])
    return _table(["detector", "axis", "frames", "balanced accuracy", "false yes", "missed"], rows)


def _figure(row: dict[str, Any] | float | None, form: str = ".2f") -> str:
    value = row["value"] if isinstance(row, dict) else row
    return "-" if value is None else format(value, form)


def _bounded(row: dict[str, Any]) -> str:
    return _figure(row) if row["value"] is None else f"{_figure(row)} [{row['low']:.2f}, {row['high']:.2f}]"


RESULT_TABLES: dict[str, Callable[[], str]] = {
    "<!-- results: curricula -->": comparison,
    "<!-- results: odyssey -->": streams,
    "<!-- results: odyssey-words -->": words,
    "<!-- results: rewards -->": rewards,
    "<!-- results: rewards-intensities -->": rewards_by_intensity,
    "<!-- results: rewards-costs -->": rewards_costs,
    "<!-- results: rewards-worst -->": rewards_worst,
}


def _gap(gap: dict[str, Any] | None) -> str:
    if gap is None:
        return ""
    return f"{gap['verdict']} {100 * gap['value']:+.0f} [{100 * gap['low']:+.0f}, {100 * gap['high']:+.0f}]"


def tasks() -> str:
    """A section per task of the MuJoCo world: what it is, its picture, its criteria and the terms of its reward."""
    from adversarl_mujoco.tasks.catalog import TASKS

    return "\n".join(_task(name, cls) for name, cls in TASKS.items())


def _task(name: str, cls: Any) -> str:
    fields = cls.Options.model_fields
    own = [f"- `{key}`: {fields[key].description}" for key in fields if key not in ("type", "success", "reward")]
    picture = f"![The teacher of {name} at work](images/tasks/{name}.png)"
    text = textwrap.dedent(inspect.getdoc(cls) or "").replace(" ::", ":").replace("::", ":").partition("\n\nArgs:")[0]
    lines = [f"## `{name}`", "", inspect.getdoc(cls.Options) or "", "", picture, "", *own, "", text, ""]
    for table in ("success", "reward"):
        lines += [f"### `success` of `{name}`" if table == "success" else f"### `reward` of `{name}`", ""]
        lines += [options(fields[table].annotation), ""]
    return "\n".join(lines)


def components(plugins: Plugins) -> str:
    """A section per kind with every installed component and its keys."""
    lines = []
    for kind in KINDS:
        found = [component for component in plugins.registry.all() if component.kind == kind]
        lines += [f"## {kind}", "", *(_section(component) for component in found)]
    return "\n".join(lines)


def _section(component: Component) -> str:
    head = f"### `{component.name}`\n\n{component.summary}. In `{component.distribution}`."
    return f"{head}\n\n{options(component.load().Options)}\n"


def options(model: Any) -> str:
    """The keys of an options model as a table."""
    rows = option_rows(model.model_json_schema())
    if not rows:
        return "No keys."
    return _table(OPTION_COLUMNS, [[f"`{key}`", *rest] for key, *rest in rows])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
