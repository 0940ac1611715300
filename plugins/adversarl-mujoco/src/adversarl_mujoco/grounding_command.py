"""``adversarl bench grounding``: how well prompts are grounded, as tables, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from adversarl import hookimpl

_HEAD = ("figure", "grammar, dev", "grammar, test", "both stages, dev", "both stages, test")


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench grounding``."""
    app.command("grounding")(grounding)


def grounding(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/prompts.md.")] = False,
) -> None:
    """Measure prompt grounding on its corpus: exact axes, refusals, silent misreads, confusions."""
    from adversarl.cli.output import console, print_json, table
    from adversarl_mujoco.grounding.benchmark import measure

    figures = measure()
    if json:
        print_json(figures)
    elif markdown:
        console.print(as_markdown(figures), markup=False, highlight=False, soft_wrap=True)
    else:
        console.print(table("prompt grounding", *_shown(figures)))
        console.print(table("confusions, test split, all stages there are", *confusions(figures)))


def as_markdown(figures: dict[str, Any]) -> str:
    """The tables of docs/prompts.md."""
    return "\n\n".join((_markdown(*_shown(figures)), _markdown(*confusions(figures))))


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(figures: dict[str, Any]) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of the table of figures."""
    from adversarl_mujoco.grounding.benchmark import OUTCOMES

    columns = [split for stage in figures["stages"].values() for split in stage.values()]
    sentences = [column["paraphrases"] for column in columns]
    impossible = [column["impossible"] for column in columns]
    rows = [["**exact axes**", *(_share(found) for found in sentences)]]
    groups = sorted({group for found in sentences for group in found["groups"]})
    rows += [[f"exact: {group}", *(_share(found["groups"][group]) for found in sentences)] for group in groups]
    rows += [[text, *(str(found[name]) for found in sentences)] for name, text in OUTCOMES.items()]
    rows.append(["impossible sentences", *(str(found["sentences"]) for found in impossible)])
    for name, text in (("refused", "refused"), ("partial", "read in part, and said so")):
        rows.append([f"impossible: {text}", *(str(found[name]) for found in impossible)])
    rows.append(["**impossible: silent misreads**", *(str(found["silent_misreads"]) for found in impossible)])
    times = [f"{figures['milliseconds'][stage]:.2f}" for stage in figures["stages"] for _ in range(2)]
    return _HEAD[: len(columns) + 1], [*rows, ["ms a sentence", *times]]


def _share(found: dict[str, Any]) -> str:
    return f"{100 * found['exact']:.1f} % of {found['sentences']}"


def confusions(figures: dict[str, Any]) -> tuple[Sequence[str], list[list[str]]]:
    """Head and rows of the confusion table: what was asked for, what was given instead, how often."""
    last = list(figures["stages"].values())[-1]["test"]["paraphrases"]
    rows = [[wanted, given, str(number)] for wanted, given, number in last["confusion"]]
    return ("asked for", "given", "times"), rows
