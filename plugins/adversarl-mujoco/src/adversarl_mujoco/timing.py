"""How often the policy acts."""

from __future__ import annotations

CONTROL_FREQUENCY = 20
"""Control steps per second [Hz]."""
