"""Which client speaks to the service, at which address, with which key."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, util
from ipaddress import ip_address
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ClientKind, ServiceOptions

KEY = "ODYSSEY_API_KEY"
URL = "ODYSSEY_API_URL"
SERVICE = "https://api.odyssey.ml"
PYTHON = (3, 12)
"""The oldest Python whose syntax the SDK's source needs."""
INSTALL = "pip install git+https://github.com/odysseyml/odyssey-python.git"
STRANGERS = ("odyssey", "lovell-odyssey", "odyssey-sdk")
"""Distributions on PyPI that are taken for the SDK; the first two install a module of its name."""
EMULATOR = f"start an emulator with `adversarl odyssey serve` and export the {URL} and {KEY} that it prints"
_SECRETS = re.compile(
    r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|\body_[\w-]{4,}"
    r"|(?<=://)[^/@\s]+(?=@)|(?<=token=)[^\s&'\"]+|(?<=Bearer )[^\s'\"]+"
)


class SdkMissing(OdysseyError):
    """The SDK is not installed."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """A client of the service.

    Attributes:
        name: ``sdk`` for Odyssey's own, ``thin`` for ours.
        version: Its version.
        Odyssey: The client's class: ``Odyssey(key, api_url=…, enable_telemetry=False, advanced=AdvancedConfig(…))``.
        AdvancedConfig: Class of its settings: ``max_retries``, ``queue_timeout_s`` [s] and others.
    """

    name: str
    version: str
    Odyssey: type[Any]
    AdvancedConfig: type[Any]


def service_url(options: ServiceOptions) -> str:
    """Address of the service: the option, else the variable ODYSSEY_API_URL, else Odyssey's own.

    Raises:
        OdysseyError: It is no address of a web service.
    """
    where, url = ("api_url", options.api_url) if options.api_url else (URL, os.environ.get(URL, "").strip() or SERVICE)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.query or parts.fragment:
        action = f"Write it like {SERVICE} or http://127.0.0.1:8765."
        raise OdysseyError(f"{where} is {hide(url)!r}, which is no address of a service", action)
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def has_key() -> bool:
    """Whether ODYSSEY_API_KEY is set."""
    return bool(os.environ.get(KEY, "").strip())


def api_key() -> str:
    """The key from ODYSSEY_API_KEY; show it nowhere, and let texts of others pass through `hide`.

    Raises:
        OdysseyError: The variable is not set, or holds something that cannot be a key.
    """
    if not has_key():
        raise OdysseyError(f"{KEY} is not set", f"Export your key, or {EMULATOR}.")
    key = os.environ[KEY].strip()
    if not key.isprintable() or not key.isascii() or " " in key:
        raise OdysseyError(f"{KEY} holds blanks or signs that no key has", "Copy the key again from Odyssey's portal.")
    return key


def hide(text: str) -> str:
    """A text without the key, tokens, or anything else that looks like one."""
    if has_key():
        text = text.replace(os.environ[KEY].strip(), "(key)")
    return _SECRETS.sub("(hidden)", text)


def find_sdk(kind: ClientKind, url: str) -> Sdk:
    """The client to use.

    Args:
        kind: See `ServiceOptions.client`.
        url: Address of the service.

    Raises:
        OdysseyError: It is not installed, not what it seems, broken, or not meant for that address.
    """
    here = is_loopback(url)
    if kind == "thin" and not here:
        sentence = f"the thin client is for emulators on this machine, and {url} is elsewhere"
        raise OdysseyError(sentence, f"Use client = 'sdk', with Odyssey's package: {INSTALL}")
    if kind == "thin":
        return _thin()
    try:
        return _sdk()
    except OdysseyError:
        if kind == "sdk" or not here:
            raise
        return _thin()


def _thin() -> Sdk:
    from adversarl_odyssey.thin.client import Odyssey
    from adversarl_odyssey.thin.types import AdvancedConfig

    return Sdk("thin", metadata.version("adversarl-odyssey"), Odyssey, AdvancedConfig)


def _sdk() -> Sdk:
    module = _module()
    if not hasattr(module, "Odyssey"):
        raise _stranger(module)
    if not hasattr(module, "AdvancedConfig"):
        raise OdysseyError("the SDK that is installed has no AdvancedConfig", f"Run: {INSTALL} --upgrade")
    return Sdk("sdk", str(getattr(module, "__version__", "unknown")), module.Odyssey, module.AdvancedConfig)


def _module() -> ModuleType:
    if "odyssey" not in sys.modules and util.find_spec("odyssey") is None:
        strangers = f"; {_listed(_strangers())} is something else" if _strangers() else ""
        raise SdkMissing(f"the SDK is not installed{strangers}", _install(_remove()))
    try:
        return importlib.import_module("odyssey")
    except (Exception, SystemExit) as error:
        cause = hide(f"{type(error).__name__}: {error}")
        sentence = f"the module 'odyssey' cannot be imported under {_python()} ({cause})"
        raise OdysseyError(sentence, _install(_remove())) from error


def _install(before: str = "") -> str:
    """What to run, after `before`."""
    if sys.version_info < PYTHON:
        return f"The SDK needs Python 3.12 or newer: make an environment with it and run: {INSTALL}"
    return f"Run: {before}{INSTALL}"


def _python() -> str:
    return f"Python {sys.version_info.major}.{sys.version_info.minor}"


def _stranger(module: ModuleType) -> OdysseyError:
    """The error for another module of that name: one that a distribution brought, or one that lies in the way."""
    place = str(getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), "an unknown place"))
    sentence = f"the module 'odyssey' at {place} is something else than Odyssey's SDK, which is not on PyPI"
    found = _strangers()
    owners = {name: dist for name, dist in found.items() if place.startswith(str(dist.locate_file("")))}
    if not owners:
        return OdysseyError(sentence, f"Move or rename it. {_install()}")
    return OdysseyError(f"{sentence}; installed: {_listed(owners)}", _install(_remove()))


def _listed(distributions: Mapping[str, metadata.Distribution]) -> str:
    return ", ".join(f"{name} {distribution.version}" for name, distribution in distributions.items())


def _strangers() -> dict[str, metadata.Distribution]:
    """The distributions that bring a module of that name, as far as they are installed."""
    found = {}
    for name in STRANGERS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.distribution(name)
    return found


def _remove() -> str:
    """The command that removes them all, since they overwrite each other's files."""
    names = " ".join(_strangers())
    return f"pip uninstall -y {names} && " if names else ""
