"""open_clip, imported late: where it is missing or its PyTorch does not fit, an error says what to install."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from adversarl.errors import MissingExtra
from adversarl_clip.errors import INSTALL, UnmatchedTorch


def open_clip() -> Any:
    """The module.

    Raises:
        MissingExtra: It or something that it needs is not installed.
        UnmatchedTorch: PyTorch and torchvision do not go together.
    """
    try:
        # By itself first: where they do not match, open_clip would hide its cause behind a circular import.
        importlib.import_module("torchvision")
        with quiet():
            return importlib.import_module("open_clip")
    except ModuleNotFoundError as error:
        missing = (error.name or "open_clip").partition(".")[0]
        raise MissingExtra("reward 'clip'", missing, INSTALL) from error
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnmatchedTorch(_version("torch"), _version("torchvision"), cause) from error


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(unknown)"


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps open_clip's calls of `logging.info` from setting up a root handler in the name of the whole process."""
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
