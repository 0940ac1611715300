"""Scripts of simulations: what a stream is told at which time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from yarl import URL

from adversarl_odyssey.emulator.gate import LONGEST_PROMPT, parse
from adversarl_odyssey.emulator.images import decode_image
from adversarl_odyssey.sdk import is_loopback

Kind = Literal["start", "interact", "end"]
KINDS: tuple[Kind, ...] = ("start", "interact", "end")
MOST_ENTRIES, MOST_SCRIPTS, LONGEST_S = 1000, 100, 600.0
MOST_BYTES, FETCH_S = 64 << 20, 20.0


class ScriptError(ValueError):
    """A script is not as it must be; the text says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a script.

    Attributes:
        time_s: Since the start [s].
        kind: start, interact or end.
        prompt: What is said; empty at the end.
        image: Data URL of the picture that a start begins with.
    """

    time_s: float
    kind: Kind
    prompt: str = ""
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A start, any number of interactions, an end.

    Attributes:
        entries: In the order of their times.
    """

    entries: tuple[Entry, ...]

    @property
    def duration_s(self) -> float:
        """How long the film is going to be [s]."""
        return self.entries[-1].time_s


def parse_script(script: Any, name: str = "script") -> Script:
    """Checks a script by the vendor's rules.

    Args:
        script: From JSON.
        name: How the client calls it, for errors.

    Raises:
        ScriptError: It is not one.
    """
    if not isinstance(script, list) or not 2 <= len(script) <= MOST_ENTRIES:
        raise ScriptError(f"{name}: must be a list of 2 to {MOST_ENTRIES} entries, from 'start' to 'end'")
    entries = tuple(_entry(entry, f"{name}[{index}]") for index, entry in enumerate(script))
    for index, (entry, before) in enumerate(zip(entries[1:], entries, strict=False), start=1):
        if entry.time_s < before.time_s:
            raise ScriptError(f"{name}[{index}].timestamp_ms: entries must be in chronological order")
    kinds = [entry.kind for entry in entries]
    if kinds[0] != "start" or kinds.count("start") > 1 or entries[0].time_s:
        raise ScriptError(f"{name}[0]: the first entry, and only it, must be 'start', at timestamp_ms 0")
    if kinds[-1] != "end" or kinds.count("end") > 1:
        raise ScriptError(f"{name}[{len(entries) - 1}]: the last entry, and only it, must be 'end'")
    if not 0 < entries[-1].time_s <= LONGEST_S:
        raise ScriptError(f"{name}[{len(entries) - 1}].timestamp_ms: must be above 0 and at most {LONGEST_S:g} s")
    return Script(entries)


def _entry(entry: Any, name: str) -> Entry:
    if not isinstance(entry, dict):
        raise ScriptError(f"{name}: must be an object with timestamp_ms and one of start, interact and end")
    time_ms = entry.get("timestamp_ms")
    if isinstance(time_ms, bool) or not isinstance(time_ms, int | float) or not math.isfinite(time_ms) or time_ms < 0:
        raise ScriptError(f"{name}.timestamp_ms: must be a number of milliseconds, not negative")
    kinds = [kind for kind in KINDS if entry.get(kind) is not None]
    if len(kinds) != 1:
        raise ScriptError(f"{name}: must have exactly one of start, interact and end")
    kind, said = kinds[0], entry[kinds[0]]
    if not isinstance(said, dict):
        raise ScriptError(f"{name}.{kind}: must be an object")
    if kind == "end":
        return Entry(time_ms / 1000, kind)
    prompt, image = said.get("prompt"), said.get("image")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ScriptError(f"{name}.{kind}.prompt: must be a text that is not empty")
    if len(prompt) > LONGEST_PROMPT:
        raise ScriptError(f"{name}.{kind}.prompt: must not be longer than {LONGEST_PROMPT} characters")
    if image is not None and kind == "interact":
        raise ScriptError(f"{name}.interact.image: only 'start' takes an image")
    return Entry(time_ms / 1000, kind, prompt, _image(image, f"{name}.start.image"))


def _image(image: Any, name: str) -> str | None:
    try:
        decode_image(image, name)
    except ValueError as error:
        raise ScriptError(str(error)) from None
    return image if isinstance(image, str) else None


def parse_scripts(body: dict[str, Any]) -> list[Script]:
    """The scripts in a request whose address was fetched already.

    Raises:
        ScriptError: One is none, or there is not exactly one source.
    """
    if sum(body.get(source) is not None for source in ("script", "scripts", "script_url")) != 1:
        raise ScriptError("Exactly one of script, scripts, or script_url must be provided")
    if body.get("script") is not None:
        return [parse_script(body["script"])]
    scripts = body.get("scripts")
    if not isinstance(scripts, list) or not 1 <= len(scripts) <= MOST_SCRIPTS:
        raise ScriptError(f"scripts: must be a list of 1 to {MOST_SCRIPTS} scripts")
    return [parse_script(script, f"scripts[{index}]") for index, script in enumerate(scripts)]


async def fetch_scripts(address: Any) -> dict[str, Any]:
    """What lies at a ``script_url``: a script, a list of scripts, or an object with one of them by its name.

    Raises:
        ScriptError: It cannot be fetched, is too large, or is no JSON.
    """
    try:
        url = URL(address)
    except (TypeError, ValueError):
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ScriptError("script_url: must be an address that begins with http:// or https://")
    try:
        text = await _download(url)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise ScriptError(f"script_url: cannot be fetched: {error!r:.200}") from None
    try:
        found = parse(text)
    except ValueError:
        raise ScriptError("script_url: what lies there is no JSON") from None
    if isinstance(found, list):
        return {"scripts" if found and isinstance(found[0], list) else "script": found}
    if not isinstance(found, dict) or found.get("script_url") is not None:
        raise ScriptError("script_url: what lies there is no script")
    return {"script": found.get("script"), "scripts": found.get("scripts")}


async def _download(url: URL) -> bytes:
    """The text at an address, at most so long; proxies are only asked for other machines."""
    timeout = aiohttp.ClientTimeout(total=FETCH_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=not is_loopback(str(url))) as session,
        session.get(url, max_redirects=3) as response,
    ):
        if not response.ok:
            raise ScriptError(f"script_url: the server there answered {response.status} {response.reason}")
        return await read_limited(response.content, MOST_BYTES, "script_url")


async def read_limited(content: aiohttp.StreamReader, most: int, name: str) -> bytes:
    """Reads all, or fails early.

    Raises:
        ScriptError: It is longer than the limit.
    """
    pieces, length = list[bytes](), 0
    async for piece in content.iter_chunked(1 << 16):
        length += len(piece)
        if length > most:
            raise ScriptError(f"{name}: must not be larger than {most >> 20} MB")
        pieces.append(piece)
    return b"".join(pieces)
