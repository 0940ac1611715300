"""Brings a video home: it is there whole and decodable, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from adversarl_odyssey.bank.films import BadVideo, Facts, examine
from adversarl_odyssey.bank.store import Bank, Entry

CHUNK = 2**18


class Gone(Exception):
    """The service has no such video, or a damaged one; asking for it again does not help."""


async def download(url: str, bank: Bank, entry: Entry, timeout_s: float) -> Facts:
    """Fetches a video, decodes it to its end, and puts it in its place.

    Args:
        url: Its address, which is good for a while and needs no key.
        bank: The bank.
        entry: Which video it is.
        timeout_s: Longest silence of the service [s].

    Raises:
        Gone: It is not there, or cannot be decoded.
        aiohttp.ClientError: The connection was lost.
        TimeoutError: The service was silent.
        OdysseyError: It cannot be written.
    """
    path = bank.video(entry)
    draft = path.with_name(f".{path.name}.part")
    try:
        await _fetch(url, bank, draft, timeout_s)
        facts = await asyncio.to_thread(examine, draft)
        with bank.writing():
            draft.replace(path)
        return facts
    except BadVideo as error:
        raise Gone(f"the video that came cannot be decoded: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


async def _fetch(url: str, bank: Bank, path: Path, timeout_s: float) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout_s, sock_read=timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        if response.status in (403, 404, 410):
            raise Gone(f"the video is not there: {response.status} {response.reason}")
        response.raise_for_status()
        with bank.writing():
            file = path.open("wb", buffering=0)
        with file:
            async for chunk in response.content.iter_chunked(CHUNK):
                rest = memoryview(chunk)
                with bank.writing():
                    while rest:
                        rest = rest[file.write(rest) :]
