"""The Streamlit server behind the command."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import tomllib
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from adversarl.errors import AdversarlError

VARIABLE = "ADVERSARL_DASHBOARD"
"""Environment variable by which the pages learn their settings."""
TRIED_PORTS = 50
NEEDED = ("pandas", "pyarrow", "adversarl_dashboard.film", "adversarl_dashboard.views.live")
"""Imported before the server starts, so that the first page does not wait for them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the pages show: the folder of runs, and whether they may start processes that write into it."""

    folder: Path
    allow_run: bool = False

    def to_environment(self) -> None:
        """Leaves them where `from_environment` looks."""
        os.environ[VARIABLE] = json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_environment(cls) -> Settings:
        """What the command was told; a folder ``runs`` where there was no command."""
        told = json.loads(os.environ.get(VARIABLE, "{}"))
        return cls(Path(told.get("folder", "runs")), bool(told.get("allow_run")))


def check_folder(folder: Path) -> None:
    """Whether there is a folder to look into.

    Raises:
        AdversarlError: There is none.
    """
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "there is no such folder"
        raise AdversarlError(
            f"{folder}: {problem}. Name the one that holds your runs; adversarl run RECIPE makes one in runs/"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free(host: str, port: int) -> bool:
    """Whether a port can be listened to.

    Raises:
        AdversarlError: The address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AdversarlError(f"--host {host}: {error}. Use 127.0.0.1") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise AdversarlError(f"--port {port}: you may not listen there. Use one above 1023") from None
        except OSError as error:
            if error.errno in (98, 48, 10048):  # Linux, macOS, Windows: address in use
                return False
            raise AdversarlError(f"--host {host}: {error.strerror}. Use 127.0.0.1") from None
    return True


def check_port(host: str, port: int) -> None:
    """Whether the server can be started there.

    Raises:
        AdversarlError: The port is in use; the message proposes another.
    """
    if free(host, port):
        return
    above = range(port + 1, min(port + TRIED_PORTS, 65536))
    other = next((one for one in above if free(host, one)), None)
    advice = "Choose another with --port" if other is None else f"Use --port {other}"
    raise AdversarlError(f"--port {port}: in use by another process. {advice}")


def flags(config: dict[str, Any], prefix: str = "") -> list[str]:
    """Streamlit's settings as options of its command line."""
    found: list[str] = []
    for key, value in config.items():
        if isinstance(value, dict):
            found += flags(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            found += [f"--{prefix}{key}={one}" for one in value]
        else:
            found.append(f"--{prefix}{key}={str(value).lower() if isinstance(value, bool) else value}")
    return found


def serve(settings: Settings, host: str, port: int) -> None:
    """Runs the server until it is stopped."""
    from streamlit.web import cli

    package = files("adversarl_dashboard")
    config = tomllib.loads((package / "config.toml").read_text(encoding="utf-8"))
    settings.to_environment()
    for module in NEEDED:
        import_module(module)
    with as_file(package / "app.py") as script:
        options = [*flags(config), f"--server.address={host}", f"--server.port={port}"]
        cli.main(["run", str(script), *options], standalone_mode=False)
