"""Running coroutines that must leave nothing behind."""

import asyncio
import gc
import os
import time

PATIENCE_S = 15.0


def run(work):
    """Runs a coroutine; tasks and sockets that it leaves are an error."""

    async def guarded():
        before = fds()
        await work

        def left():
            return [str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}] + ["file"] * (fds() - before)

        await until(lambda: not left(), left)

    asyncio.run(guarded())
    gc.collect()


def fds():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def until(condition, what=lambda: "what was waited for"):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what()
        await asyncio.sleep(0.02)
