"""``adversarl odyssey`` and the benchmarks; every command imports what it needs when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds the group ``adversarl odyssey``."""
    import typer

    from adversarl_odyssey.bank.command import bank
    from adversarl_odyssey.estimate.command import estimate
    from adversarl_odyssey.serve_command import serve

    group = typer.Typer(help="Odyssey: estimate a run's cost, make a bank of videos, serve an emulator.")
    for command in (serve, estimate, bank):
        group.command()(command)
    app.add_typer(group, name="odyssey")


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench odyssey`` and ``odyssey-soak``."""
    from adversarl_odyssey.bench_commands import add

    add(app)
