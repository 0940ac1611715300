"""Tables of what the benchmarks found."""

from __future__ import annotations

from typing import Any

from adversarl.cli.output import console, table


def show(found: dict[str, Any]) -> None:
    """Prints everything."""
    machine, client = found["machine"], found["client"]
    about = f"{found['service']}, client {client['name']} {client['version']}, Python {machine['python']}"
    console.print(f"{about}, {machine['cpus']} cores", highlight=False)
    rows = [[label, *row] for label, sections in found["results"].items() for row in _rows(sections)]
    console.print(table("", ["size", "what", "value", "95 %", "n"], rows))
    for sections in found["results"].values():
        if "axes" in sections.get("effects", {}):
            console.print(table("by how much words change the picture [grey levels]", *_effects(sections["effects"])))


def _rows(sections: dict[str, Any]) -> list[list[str]]:
    makers = {"stream": _stream, "jobs": _jobs, "loop": _loop, "hybrid": _hybrid}
    return [
        row
        for name, make in makers.items()
        if "error" not in sections.get(name, {"error": ""})
        for row in make(sections[name])
    ]


def _stream(found: dict[str, Any]) -> list[list[str]]:
    shown = found["pictures"]
    rows = [
        _median("connect [ms]", found["connect_ms"]),
        _plain("start a stream [ms]", found["started_ms"]),
        _plain("to its first picture [ms]", found["first_picture_ms"]),
        [f"pictures per second, {shown['width']}x{shown['height']}", f"{shown['fps']:.1f}", "", str(shown["n"])],
        _plain("between pictures, p95 [ms]", shown["interval_ms"]["p95"]),
        _plain("between pictures, p99 [ms]", shown["interval_ms"]["p99"]),
    ]
    for name, text in (("prompts", "prompt"), ("actions", "action")):
        measured = found[name]
        rows += [
            _median(f"{text} acknowledged [ms]", measured["acknowledged_ms"]),
            _median(f"{text} to the next picture [ms]", measured["next_picture_ms"]),
            _median(f"{text} to the first changed picture [ms]", measured["first_changed_ms"]),
            [f"{text}s never seen", str(measured["unseen"]), "", str(measured["n"])],
            [f"changes seen without a {text}", str(measured["false_alarms"]), "", str(measured["n"])],
        ]
    return [
        *rows,
        _plain("end a stream [ms]", found["ended_ms"]),
        _plain("start it again [ms]", found["restarted_ms"]),
    ]


def _jobs(found: dict[str, Any]) -> list[list[str]]:
    made, listed, recorded = found["simulate"], found["listing"], found["recording"]
    return [
        _plain("simulation submitted [ms]", made["submitted_ms"]),
        _plain("simulation completed after [s]", made["completed_s"]),
        ["simulation: pictures decoded", f"{made['decoded']} ({made['codec']})", "", "1"],
        _plain("download [ms]", made["download_ms"]),
        _plain("list [ms]", listed["list_ms"]),
        _plain("cancel [ms]", listed["cancel_ms"]),
        ["second job, cancelled while it waited", listed["second"], "", "1"],
        [f"recording of {recorded['seconds']:g} s: pictures decoded", str(recorded["decoded"]), "", "1"],
        _plain("recording ready after [s]", recorded["ready_s"]),
    ]


def _loop(found: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, text in (("latest", "latest picture"), ("waiting", "waiting for actions")):
        loop = found[name]
        rows += [
            [f"loop, {text}: steps/s", f"{loop['steps_per_s']:.1f}", "", str(loop["steps"])],
            _plain(f"loop, {text}: age of pictures, median [ms]", loop["age_ms"]["p50"]),
            _plain(f"loop, {text}: age of pictures, p95 [ms]", loop["age_ms"]["p95"]),
            _median(f"loop, {text}: action to picture [ms]", loop["action_to_picture_ms"]),
            [f"loop, {text}: pictures never seen", str(loop["dropped"]), "", str(loop["steps"])],
            [f"loop, {text}: pictures seen twice", str(loop["repeated"]), "", str(loop["steps"])],
        ]
    return rows


def _hybrid(found: dict[str, Any]) -> list[list[str]]:
    return [
        [f"hybrid, {found['num_envs']} environments: steps/s", f"{found['streamed_steps_per_s']:.0f}", "", ""],
        ["same world without streams: steps/s", f"{found['plain_steps_per_s']:.0f}", "", ""],
        _median("hybrid to without, of one round", found["ratio"]),
    ]


def _effects(found: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    head = ["axis", "sentence", "changed", "by itself", "times", "brighter", "reliable"]
    rows = [
        [
            row["axis"],
            row["sentence"],
            f"{row['changed']:.1f}",
            f"{row['by_itself']:.2f}",
            f"{row['ratio']['median']:.0f}",
            f"{row['brighter']:+.1f}",
            f"{row['reliable']} of {row['n']}",
        ]
        for row in sorted(found["axes"], key=lambda row: -row["changed"])
    ]
    return head, rows


def _median(what: str, found: dict[str, Any]) -> list[str]:
    if found["median"] is None:
        return [what, "-", "", str(found["n"])]
    interval = "" if found["low"] is None else f"[{_number(found['low'])}, {_number(found['high'])}]"
    return [what, _number(found["median"]), interval, str(found["n"])]


def _plain(what: str, value: float | None) -> list[str]:
    return [what, "-" if value is None else _number(value), "", ""]


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"


COLUMNS = (
    ("seconds", "time", "{:>6.0f}"),
    ("world", "world", "{:<6}"),
    ("fault", "fault", "{:<18}"),
    ("begun", "begun", "{:>6}"),
    ("finished", "finished", "{:>8}"),
    ("renewals", "renewals", "{:>8}"),
    ("sessions", "sessions", "{:>8}"),
    ("streams", "streams", "{:>7}"),
    ("server_tasks", "tasks there", "{:>11}"),
    ("tasks", "here", "{:>5}"),
    ("threads", "threads", "{:>7}"),
    ("fds", "files", "{:>5}"),
    ("rss_mb", "MB here", "{:>7.0f}"),
    ("server_rss_mb", "MB there", "{:>8.0f}"),
)
"""Key, heading and format of each column of the soak's lines."""


def heading() -> str:
    """Headings of the lines."""
    return " ".join(
        f"{head:{'<' if '<' in shape else '>'}{len(shape.format(_sample(shape)))}}" for _, head, shape in COLUMNS
    )


def line(row: dict[str, Any]) -> str:
    """One line of the soak."""
    return " ".join(shape.format(row[key]) for key, _, shape in COLUMNS)


def _sample(shape: str) -> Any:
    return "" if "<" in shape else 0


def verdict(report: dict[str, Any]) -> None:
    """What was there before and after, and what is wrong."""
    rows = [[name, *(f"{number:,.1f}" for number in numbers)] for name, numbers in report["compared"].items()]
    console.print(table("at rest before and after", ["what", "before", "after"], rows))
    slopes = [[name, f"{value:+.2f}"] for name, value in report["slopes_mb_per_hour"].items()]
    console.print(table("growth of memory, second half", ["process", "MB per hour"], slopes))
    for problem in report["problems"]:
        console.print(problem, style="bold red", highlight=False)
    if not report["problems"]:
        console.print(f"no leak, no lost episode: {report['episodes']['finished']} episodes", highlight=False)
    if not report["memory_judged"]:
        console.print("too short to say whether memory grows", style="yellow", highlight=False)
