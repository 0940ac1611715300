"""Benchmarks of the service or its emulator; each imports what it needs when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adversarl_odyssey.bench import Settings


def add(app: typer.Typer) -> None:
    """Adds them."""
    app.command("odyssey")(odyssey)
    app.command("odyssey-soak")(odyssey_soak)


def odyssey(
    url: Annotated[
        str | None, typer.Option(help="A running service; default: ODYSSEY_API_URL, else emulators.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="stream, jobs, loop, hybrid or effects; may be repeated.")
    ] = None,
    size: Annotated[
        list[str] | None, typer.Option(metavar="WIDTHxHEIGHT", help="Of the emulator's pictures; may be repeated.")
    ] = None,
    fps: Annotated[float, typer.Option(min=1, max=60, help="The emulator's pictures per second.")] = 20.0,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long pictures are counted and steps are taken [s].")
    ] = 10.0,
    repeats: Annotated[int, typer.Option(min=2, help="Prompts, and as many actions.")] = 20,
    effect_repeats: Annotated[int, typer.Option(min=1, help="How often the sentence of each axis is tried.")] = 3,
    wait: Annotated[float, typer.Option(min=0.2, help="How long such a sentence has to take effect [s].")] = 1.0,
    client: Annotated[str, typer.Option(help="sdk, thin, or auto: the SDK where it is installed.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Root of all that is drawn.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Measure a service that costs money.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the service, or an emulator of it: streams, prompts until they show, jobs, loops, effects of words.

    The key of a running service is read from ODYSSEY_API_KEY. Emulators are started as processes of their own.
    """
    from adversarl.cli.output import print_json
    from adversarl_odyssey.bench import SIZES, Settings, chosen, errors, given_url, measure

    settings = Settings(
        url=given_url(url),
        sections=chosen(only or []),
        sizes=tuple(_size(text) for text in size or ()) or SIZES,
        fps=fps,
        seconds=seconds,
        repeats=repeats,
        effect_repeats=effect_repeats,
        wait_s=wait,
        seed=seed,
        client=_client(client),
    )
    _agree(settings, yes=yes)
    _end_on_term()
    with _status() as tell:
        found = measure(settings, tell)
    if json:
        print_json(found)
    else:
        from adversarl_odyssey.bench_tables import show

        show(found)
    for problem in (problems := errors(found)):
        _errors().print(f"not measured: {problem}", style="bold red", highlight=False)
    raise typer.Exit(1 if problems else 0)


def odyssey_soak(
    minutes: Annotated[float, typer.Option(min=0.5, help="How long faults take turns [min].")] = 30.0,
    fault_s: Annotated[
        float, typer.Option(min=2, help="How long each fault, and the rest after it, lasts [s].")
    ] = 20.0,
    line_s: Annotated[float, typer.Option(min=0.5, help="Seconds between lines.")] = 5.0,
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of the emulator's pictures.")] = "320x176",
    fps: Annotated[float, typer.Option(min=1, max=60, help="The emulator's pictures per second.")] = 10.0,
    client: Annotated[str, typer.Option(help="sdk, thin, or auto: the SDK where it is installed.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Root of all that is drawn.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and the lines to standard error.")] = False,
) -> None:
    """Let worlds play against an emulator whose faults take turns; exit 1 on a leak or a lost episode."""
    from adversarl.cli.output import print_json
    from adversarl_odyssey.bench_tables import heading, line, verdict
    from adversarl_odyssey.soak import SoakSettings, soak

    settings = SoakSettings(60 * minutes, fault_s, line_s, _size(size), fps, _client(client), seed)
    _end_on_term()
    console = _errors() if json else _output()
    console.print(heading(), highlight=False, soft_wrap=True)
    report = soak(settings, lambda row: console.print(line(row), highlight=False, soft_wrap=True, markup=False))
    if json:
        print_json(report)
    else:
        verdict(report)
    raise typer.Exit(1 if report["problems"] else 0)


def _end_on_term() -> None:
    """SIGTERM ends the command like any error does, so that its streams and emulators end with it."""
    import signal
    import sys
    import threading

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def _size(text: str) -> tuple[int, int]:
    """Width and height [pixel]."""
    from adversarl_odyssey.errors import OdysseyError

    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise OdysseyError(f"--size {text!r} is no size", "Write it like 640x352.")
    return int(width), int(height)


def _client(name: str) -> Any:
    from typing import get_args

    from adversarl.errors import did_you_mean
    from adversarl_odyssey.errors import OdysseyError
    from adversarl_odyssey.options import ClientKind

    if name not in get_args(ClientKind):
        raise OdysseyError(f"there is no client '{name}'", did_you_mean(name, get_args(ClientKind)))
    return name


def _agree(settings: Settings, *, yes: bool) -> None:
    """Says what a service that takes money will cost, and goes on only with --yes."""
    from adversarl_odyssey.bench import cost, is_free
    from adversarl_odyssey.errors import OdysseyError
    from adversarl_odyssey.sdk import api_key

    if is_free(settings):
        return
    api_key()
    if not yes:
        raise OdysseyError("the benchmark costs money there", f"{cost(settings)} Repeat the command with --yes.")
    _errors().print(cost(settings), highlight=False, soft_wrap=True)


def _status() -> Any:
    from contextlib import contextmanager

    @contextmanager
    def showing() -> Any:
        console = _errors()
        if not console.is_terminal:
            yield lambda what: None
            return
        with console.status("measuring") as status:
            yield status.update

    return showing()


def _errors() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def _output() -> Any:
    from adversarl.cli.output import console

    return console
