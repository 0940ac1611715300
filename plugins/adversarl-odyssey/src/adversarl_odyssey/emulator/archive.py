"""Finished films on disk, served under signed addresses that expire."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from adversarl_odyssey.emulator.films import EVENTS, PREVIEW, THUMBNAIL, VIDEO
from adversarl_odyssey.emulator.tokens import Signer

Result = TypeVar("Result")
FILES = {"video_url": VIDEO, "events_url": EVENTS, "thumbnail_url": THUMBNAIL, "preview_url": PREVIEW}


class Archive:
    """Keeps the files of streams in a temporary folder, the newest ones up to a size.

    Args:
        url_s: How long addresses are valid [s].
        keep_bytes: When finished films are larger than this together, the oldest are deleted [byte].
    """

    def __init__(self, *, url_s: float = 3600.0, keep_bytes: int = 2 << 30) -> None:
        self.url_s, self.keep_bytes = url_s, keep_bytes
        self._signer = Signer()
        self._making = threading.Lock()
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._sizes: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="films", initializer=_stand_back)

    def submit(self, work: Callable[..., Result], *arguments: object) -> Future[Result]:
        """Does something on the one thread that writes films, in order."""
        return self._thread.submit(work, *arguments)

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Does something on that thread, and waits."""
        return await asyncio.wrap_future(self.submit(work, *arguments))

    def folder(self, stream_id: str) -> Path:
        """An empty folder for the film of a stream. On any thread."""
        with self._making:
            if self._root is None:
                self._root = tempfile.TemporaryDirectory(prefix="odyssey-emulator-")
            path = Path(self._root.name) / stream_id
        path.mkdir()
        return path

    def keep(self, stream_id: str) -> None:
        """Offers a film that is complete; may delete the oldest ones. On the thread of the films."""
        path = self._path(stream_id)
        self._sizes[stream_id] = sum(file.stat().st_size for file in path.iterdir())
        while sum(self._sizes.values()) > self.keep_bytes and len(self._sizes) > 1:
            self.drop(next(iter(self._sizes)))

    def drop(self, stream_id: str) -> None:
        """Deletes a film. On the thread of the films."""
        self._sizes.pop(stream_id, None)
        path = self._path(stream_id)
        if path.is_dir():
            for file in path.iterdir():
                file.unlink()
            path.rmdir()

    def _path(self, stream_id: str) -> Path:
        return Path(self._root.name if self._root is not None else os.devnull) / stream_id

    def urls(self, request: web.Request, stream_id: str) -> dict[str, str | None]:
        """Signed addresses of a film's files, as the asker reaches this server; None for what there is not."""
        origin, path = request.url.origin(), self._path(stream_id)
        urls: dict[str, str | None] = {}
        for field, name in FILES.items():
            there = stream_id in self._sizes and (path / name).is_file()
            signature = self._signer.sign(self.url_s, file=f"{stream_id}/{name}") if there else None
            urls[field] = f"{origin}/files/{stream_id}/{name}?signature={signature}" if signature else None
        return urls

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers for one file; knows no key, only the signature."""
        stream_id, name = request.match_info["stream_id"], request.match_info["name"]
        claims = self._signer.read(request.query.get("signature", ""))
        if claims is None or claims.get("file") != f"{stream_id}/{name}":
            return web.json_response({"detail": "This address has expired, or its signature is wrong"}, status=403)
        path = self._path(stream_id) / name
        if stream_id not in self._sizes or not path.is_file():
            return web.json_response({"detail": "The file has been deleted"}, status=404)
        return web.FileResponse(path)

    def add_routes(self, app: web.Application) -> None:
        """Serves ``/files``."""
        app.router.add_get("/files/{stream_id}/{name}", self.serve)

    async def close(self) -> None:
        """Waits for what is being written and deletes everything; may be called twice."""
        await asyncio.to_thread(self._thread.shutdown)
        root, self._root = self._root, None
        self._sizes.clear()
        if root is not None:
            await asyncio.to_thread(root.cleanup)


def _stand_back() -> None:
    """Lets live streams go first: on Linux a priority is a thread's own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
