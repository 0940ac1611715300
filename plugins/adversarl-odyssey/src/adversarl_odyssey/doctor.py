"""What ``adversarl doctor`` says about Odyssey."""

from __future__ import annotations

from collections.abc import Callable

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sdk import KEY, URL, SdkMissing, api_key, find_sdk, has_key, is_loopback, service_url

Check = Callable[[str, bool, str], None]


def examine(check: Check) -> None:
    """Reports the SDK, the key and the address; nothing is asked of the service, and the key is not shown.

    What is merely absent is a hint, since nothing but Odyssey's worlds needs it.
    """
    try:
        check("Odyssey address", True, _address())
    except OdysseyError as error:
        check("Odyssey address", False, str(error))
    try:
        check("Odyssey SDK", True, find_sdk("sdk", "").version)
    except SdkMissing as error:
        check("Odyssey SDK", True, f"optional: {error.sentence}. {error.action}")
    except OdysseyError as error:
        check("Odyssey SDK", False, str(error))
    try:
        api_key()
        check(KEY, True, "set")
    except OdysseyError as error:
        check(KEY, not has_key(), str(error) if has_key() else f"optional: {error.sentence}. {error.action}")


def _address() -> str:
    url = service_url(ServiceOptions())
    if is_loopback(url):
        return f"{url}, an emulator on this machine ({URL})"
    return url if url.startswith("https:") else f"{url}; the key travels there unencrypted ({URL})"
