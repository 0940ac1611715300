"""One thread for all streams of the process, and for each account its limit, its meters and its clients."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.meter import WRITE_EVERY_S, Meter
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sdk import Sdk, api_key, find_sdk, hide, service_url

if TYPE_CHECKING:
    from adversarl_odyssey.stream import Stream

T = TypeVar("T")
FREE_S = 1.0
"""A stream of another world at which nobody has looked for so long may be ended where its place is needed [s]."""
LOOK_S = 0.1
"""How often it is seen whether a place is free [s]."""
FINISH_S = 20.0
"""How long the end of all streams may take [s]; each has time-outs of its own that are shorter."""

log = logging.getLogger(__name__)


class Loop:
    """An event loop on a daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_note)
        self._thread = threading.Thread(target=self._loop.run_forever, name="adversarl-odyssey", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        """Runs something on the loop and waits for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit_s)

    def call(self, function: Any, *arguments: Any) -> None:
        """Calls something on the loop soon; nothing happens once it has stopped."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def tasks(self) -> int:
        """How many tasks there are; may be asked from any thread."""
        return len(asyncio.all_tasks(self._loop))

    def stop(self) -> None:
        """Cancels what is left and ends the thread."""
        try:
            self.do(_cancel_all(), FINISH_S)
        except TimeoutError:
            log.warning("the thread of Odyssey's streams does not end; what is left of them ends with the process")
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Account:
    """What all sources of one key at one address share.

    Args:
        loop: Where its streams live.
        sdk: The client.
        url: Address of the service.
        key: The key; never leaves this object but to the client.
    """

    def __init__(self, loop: Loop, sdk: Sdk, url: str, key: str) -> None:
        self.loop, self.sdk, self.url = loop, sdk, url
        self.meter = Meter()
        self.members = 0
        self._key = key
        self._meters: dict[Path, Meter] = {}
        self._places: dict[Stream, None] = {}
        self._tasks: dict[Stream, asyncio.Task[None]] = {}
        self._clerk: asyncio.Task[None] | None = None

    def client(self, options: ServiceOptions) -> Any:
        """A new client. Retries are ours, since its own know nothing of budgets and of other streams."""
        advanced = self.sdk.AdvancedConfig(max_retries=0, queue_timeout_s=max(1, round(options.connect_timeout_s)))
        return self.sdk.Odyssey(self._key, api_url=self.url, enable_telemetry=False, advanced=advanced)

    def meter_in(self, folder: Path) -> Meter:
        """The meter of a run; sources that were told of no run share the latest one."""
        folder = folder.resolve()
        if folder not in self._meters:
            self.meter = self.meter if self.meter.folder is None else Meter()
            self.meter.attach(folder)
            self._meters[folder] = self.meter
        self.meter = self._meters[folder]
        return self.meter

    async def add(self, streams: list[Stream]) -> None:
        """Lets streams live."""
        self._clerk = self._clerk or asyncio.create_task(self._write())
        for stream in streams:
            self._tasks[stream] = asyncio.create_task(stream.live())

    async def finish(self, streams: list[Stream]) -> None:
        """Ends streams, all at once, and forgets them; asked again while they end, it waits for the same end."""
        tasks = [self._tasks[stream] for stream in streams if stream in self._tasks]
        for task in tasks:
            if not task.cancelling():
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for stream in streams:
            self._tasks.pop(stream, None)

    async def finish_all(self) -> None:
        """Ends every stream; each has written what it cost."""
        await self.finish(list(self._tasks))
        clerk, self._clerk = self._clerk, None
        if clerk is not None:
            clerk.cancel()
            await asyncio.wait([clerk])

    @contextlib.asynccontextmanager
    async def place(self, stream: Stream) -> AsyncIterator[None]:
        """One of the account's streams, for as long as a session lasts.

        Raises:
            OdysseyError: Streams of other worlds hold all places and are in use.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + stream.options.connect_timeout_s
        while len(self._places) >= stream.options.max_streams:
            if loop.time() > until:
                raise _full(stream.options)
            self._make_room(stream)
            await asyncio.sleep(LOOK_S)
        self._places[stream] = None
        try:
            yield
        finally:
            del self._places[stream]

    def _make_room(self, stream: Stream) -> None:
        """Gives up the stream of another world that has been unused for longest."""
        others = [held for held in self._places if held.owner is not stream.owner]
        if any(held.desk.released for held in others):
            return
        unused = [held for held in others if held.desk.unused_s() > FREE_S]
        if unused:
            max(unused, key=lambda held: held.desk.unused_s()).give_way(FREE_S)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            for meter in list(self._meters.values()):  # a world may be told of another run meanwhile
                meter.write()


_lock = threading.RLock()
_accounts: dict[tuple[str, str], Account] = {}
_loops = list[Loop]()


def open_tasks() -> int:
    """Tasks of all streams of this process, for who looks for leaks."""
    return sum(loop.tasks() for loop in list(_loops))


def join(options: ServiceOptions) -> Account:
    """The account that options name; it has to be left again.

    Raises:
        OdysseyError: There is no key, no client or no such address.
    """
    url, key = service_url(options), api_key()
    sdk = find_sdk(options.client, url)
    with _lock:
        if not _loops:
            logging.getLogger("odyssey").addHandler(logging.NullHandler())
            _loops.append(Loop())
        name = (url, f"{sdk.name} {key}")
        account = _accounts.setdefault(name, Account(_loops[0], sdk, url, key))
        account.members += 1
        return account


def leave(account: Account, streams: list[Stream]) -> None:
    """Ends streams; who leaves last ends the account, and the last account the thread."""
    with _lock:
        if account not in _accounts.values():
            return
        account.members -= 1
        try:
            _within_time(account, account.finish(streams))
        finally:
            if account.members == 0:
                _end(account)


def end_all() -> None:
    """Ends everything; called when the process exits, also by Ctrl-C or an exception.

    A process that is killed (SIGKILL, or SIGTERM where nobody handles it) cannot do so; the service then ends its
    sessions when it notices that the connections are gone.
    """
    with _lock:
        for account in list(_accounts.values()):
            _end(account)


def _end(account: Account) -> None:
    """Forgets the account last, so that `end_all` goes on with what an impatient user interrupts here."""
    _within_time(account, account.finish_all())
    for name in [name for name, known in _accounts.items() if known is account]:
        del _accounts[name]
    if not _accounts and _loops:
        _loops.pop().stop()


def _within_time(account: Account, work: Coroutine[Any, Any, None]) -> None:
    try:
        account.loop.do(work, FINISH_S)
    except TimeoutError:
        log.warning("streams of Odyssey did not end within %g s; the service ends them when it misses us", FINISH_S)


def _full(options: ServiceOptions) -> OdysseyError:
    sentence = (
        f"backend.max_streams = {options.max_streams} streams are in use by this process, so that a world with "
        f"backend.num_envs = {options.num_envs} gets none"
    )
    return OdysseyError(sentence, "Lower backend.num_envs, or raise backend.max_streams if the account has more.")


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    with contextlib.suppress(RuntimeError):  # a process that ends begins no thread, which this needs
        await asyncio.get_running_loop().shutdown_default_executor()


def _note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Errors of tasks that a client left behind; what matters of them arrives by its call-backs."""
    del loop
    log.debug("%s: %s", context.get("message"), hide(repr(context.get("exception"))))


atexit.register(end_all)
