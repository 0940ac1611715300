"""``adversarl bench adversary``: does it get better at its own objective than random proposals are?"""

from __future__ import annotations

from typing import Annotated, Any

import typer


def add_adversary(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("adversary")(adversary)


def adversary(
    seeds: Annotated[int, typer.Option(min=4, help="Worlds and adversaries for each objective.")] = 20,
    proposals: Annotated[int, typer.Option(min=4, help="Proposals of each; the last quarter is judged.")] = 600,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what an adversary gains on its own objective over uniform proposals, where the truth is known."""
    from adversarl.cli.output import console, print_json, table
    from adversarl_sb3.adversary_measure import measure

    report = measure(seeds, proposals)
    if json:
        print_json(report)
        return
    head = ("objective", "uniform", "adversary", "gain", "impossible")
    rows = [_row(name, found) for name, found in report["objectives"].items()]
    console.print(table(f"{seeds} seeds, {proposals} proposals each", head, rows))


def _row(objective: str, found: dict[str, Any]) -> list[str]:
    gain = found["gain"]
    interval = f"{gain['value']:+.2f} [{gain['low']:+.2f}, {gain['high']:+.2f}]"
    return [objective, f"{found['uniform']:.2f}", f"{found['adversary']:.2f}", interval, f"{found['impossible']:.0%}"]
