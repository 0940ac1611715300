"""An emulator in a process of its own, as a user would start it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adversarl_odyssey.emulator.options import make_key
from adversarl_odyssey.errors import OdysseyError

START_S = 90.0
"""How long the emulator may take until it answers [s]."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Served:
    """`adversarl odyssey serve` on a free port of this machine; a context manager that ends it.

    Args:
        size: Width and height of its pictures [pixel].
        fps: Pictures per second.
        options: Further words of its command line.

    Attributes:
        url: Its address.
        key: The key that it accepts.
        pid: Its process.
    """

    def __init__(self, size: tuple[int, int], fps: float = 20.0, options: tuple[str, ...] = ()) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        self.url, self.key = f"http://127.0.0.1:{port}", make_key()
        shape = ("--size", f"{size[0]}x{size[1]}", "--fps", f"{fps:g}")
        self._words = ["odyssey", "serve", "--port", str(port), "--key", self.key, *shape, *options]
        self._log = Path(tempfile.mkstemp(prefix="adversarl-emulator-", suffix=".log")[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "adversarl", *self._words]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self._ask("/auth/token", {"api_key": self.key}, bearer="")
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        told = self._log.read_text(errors="replace").strip()[-600:]
        raise OdysseyError(f"the emulator did not start: {told}", "Start it by hand: adversarl odyssey serve.")

    def stats(self) -> dict[str, Any]:
        """What is open in it: sessions, streams, tasks."""
        return dict(self._ask("/emulator/stats", None, bearer=self.key))

    def fault(self, setting: str) -> None:
        """Switches a fault on, or off with ``NAME=off``."""
        self._ask("/emulator/faults", {"faults": [setting]}, bearer=self.key)

    def _ask(self, path: str, content: Any, *, bearer: str) -> Any:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        with _DIRECT.open(request, timeout=10.0) as answer:
            return json.loads(answer.read() or b"null")

    def close(self) -> None:
        """Ends it, as Ctrl-C would; kills it if that does not help."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(15.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.unlink(missing_ok=True)
