"""The command ``adversarl odyssey serve``."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import TYPE_CHECKING, Annotated
from urllib.request import getproxies, proxy_bypass

import typer

from adversarl_odyssey.emulator.faults import FAULTS
from adversarl_odyssey.errors import OdysseyError

if TYPE_CHECKING:
    from adversarl_odyssey.emulator.options import EmulatorOptions

FAULT_HELP = f"Fault to begin with, as NAME or NAME=VALUE; may be repeated: {', '.join(FAULTS)}."


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8765,
    key: Annotated[str | None, typer.Option(help="The key that is accepted; default: a new one.")] = None,
    size: Annotated[str, typer.Option(help="Width x height of wide pictures, both even.")] = "1280x704",
    fps: Annotated[float, typer.Option(help="Pictures per second, each a control step later.", min=1, max=60)] = 20.0,
    host: Annotated[str, typer.Option(help="Address to listen on; the default is for this machine only.")] = (
        "127.0.0.1"
    ),
    max_streams: Annotated[int, typer.Option(help="Streams at once; further clients wait.", min=1, max=64)] = 5,
    max_stream: Annotated[float, typer.Option(help="Seconds after which a stream is ended; 0: never.", min=0)] = (
        300.0
    ),
    task: Annotated[str, typer.Option(help="Task of the MuJoCo world that draws the pictures.")] = "pick",
    fault: Annotated[
        list[str] | None,
        typer.Option(help=FAULT_HELP),
    ] = None,
) -> None:
    """Serves an emulator of Odyssey's API; its pictures are of a MuJoCo world that obeys prompts.

    A stream whose first prompt has a sentence with "empty" and no "robot" shows the table and the room alone.

    Faults are switched while it runs by POST {"faults": ["late-frames=2", "quota=off"], "clear": true} to
    /emulator/faults, with the key as bearer token.
    """
    from pydantic import ValidationError

    from adversarl_odyssey.emulator.options import EmulatorOptions, make_key

    try:
        options = EmulatorOptions(
            host=host,
            port=port,
            key=make_key() if key is None else key,
            size=_size(size),
            fps=fps,
            max_streams=max_streams,
            max_stream_s=max_stream,
            task=task,
            faults=tuple(fault or ()),
        )
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        name = str(wrong["loc"][0]).removesuffix("_s")
        raise OdysseyError(f"--{name.replace('_', '-')}: {wrong['msg']}", "See `adversarl odyssey serve -h`.") from None
    asyncio.run(_serve(options, made_key=key is None))


def _size(text: str) -> tuple[int, int]:
    """Height and width [pixel] from ``WIDTHxHEIGHT``."""
    found = re.fullmatch(r"(\d+)x(\d+)", text.strip())
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (16 <= width <= 1920 and 16 <= height <= 1920) or width % 2 or height % 2:
        raise OdysseyError(f"--size cannot be '{text}'", "Write WIDTHxHEIGHT with even numbers from 16 to 1920.")
    return height, width


async def _serve(options: EmulatorOptions, *, made_key: bool) -> None:
    from adversarl.cli.output import console
    from adversarl_odyssey.emulator.server import serve as start

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await start(options, say)
    try:
        for line in _greeting(options, server.url, made_key=made_key):
            say(line)
        await stop.wait()
        say("The emulator ends.")
    finally:
        await server.close()


def _greeting(options: EmulatorOptions, url: str, *, made_key: bool) -> list[str]:
    from adversarl_odyssey.sdk import is_loopback

    height, width = options.size
    lines = [
        f"An EMULATOR of Odyssey's API listens at {url}; it is not Odyssey, and nothing leaves this machine.",
        f"Key: {options.key}" if made_key else "Key: the one you gave; no other is accepted.",
        f"export ODYSSEY_API_URL={url}",
        f"export ODYSSEY_API_KEY={options.key if made_key else '...'}",
        f"Pictures: {width}x{height}, {options.fps:g} per second, of a MuJoCo world (task '{options.task}').",
    ]
    if options.faults:
        lines.append(f"Faults: {', '.join(options.faults)}")
    if getproxies() and not proxy_bypass("127.0.0.1"):
        lines.append("export NO_PROXY=127.0.0.1,localhost")
    if not is_loopback(url) or options.host in ("0.0.0.0", "::"):
        lines.append(
            f"WARNING: {options.host} can be reached from other machines, by this machine's name or address and "
            "without encryption; the key is all that keeps them out."
        )
    return lines
