"""The dashboard as a user has it: the command, a server, Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from adversarl.errors import AdversarlError, MissingExtra

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S = 60.0
"""A server that does not answer for so long is given up [s]."""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
"""There once the page's script has run."""


def chromium() -> str | None:
    """Where Chromium is installed; None where it is not."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of ``adversarl dashboard FOLDER``, which runs meanwhile.

    Raises:
        AdversarlError: It does not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "adversarl", "dashboard", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stcore/health", process)
        yield url
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_for(url: str, process: subprocess.Popen[str]) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_S:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    said = process.communicate()[0]
    raise AdversarlError(f"the dashboard did not start: {said.strip()[-500:] or f'no answer from {url}'}")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window.

    Raises:
        AdversarlError: playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise MissingExtra("bench dashboard", "playwright", "playwright") from None
    path = chromium()
    if path is None:
        raise AdversarlError("bench dashboard needs Chromium. On Debian or Ubuntu run: apt-get install -y chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield started
        finally:
            started.close()


def settle(page: Page, ready: str, timeout_s: float = 60.0) -> None:
    """Waits until a page's script has run, what it is about is there, and its pictures are loaded.

    Args:
        page: In the browser.
        ready: CSS selector of what the page is about.
        timeout_s: At most so long [s].
    """
    script = (
        "([idle, ready]) => document.querySelector(idle) && document.querySelector(ready) && "
        "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    )
    page.wait_for_function(script, arg=[IDLE, ready], timeout=1000 * timeout_s)
