"""Our own client of the service, for emulators on this machine: where the SDK cannot be, and for tests.

It has the surface of Odyssey's SDK 1.3.0, and was written from the messages that a server must speak.
"""

from __future__ import annotations

from adversarl_odyssey.thin.client import Odyssey as Odyssey
from adversarl_odyssey.thin.types import AdvancedConfig as AdvancedConfig
