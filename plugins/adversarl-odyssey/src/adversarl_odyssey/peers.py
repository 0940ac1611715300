"""Closing WebRTC connections so that nothing of them stays."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

SETTLE_S = 1.0
"""How long a connection that is on its way is given to come about [s]."""
CLOSE_S = 5.0
logger = logging.getLogger(__name__)


async def close_peer(connection: RTCPeerConnection) -> None:
    """Closes a connection; never raises, and takes a bounded time.

    One that comes about in the moment of closing leaves aioice's task of consent checks running for ever (aioice 0.13:
    `Connection.connect` goes on after `Connection.close`), or an exception that nobody retrieves (aiortc 1.16), so that
    it is let come about first.
    """
    try:
        async with asyncio.timeout(CLOSE_S):
            for _ in range(round(SETTLE_S / 0.01)):
                if connection.connectionState != "connecting":
                    break
                await asyncio.sleep(0.01)
            await connection.close()
    except Exception as error:
        logger.warning("A connection could not be closed (%s)", type(error).__name__)
