"""A client that says exactly what a test wants, good or bad."""

import asyncio
import base64
import contextlib
import io
import json

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from PIL import Image

PATIENCE_S = 20.0


def data_url(colour, size=(64, 48)):
    """A picture of one colour as clients send it."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


class RawClient:
    """``async with RawClient(emulator) as client``: signed in, not yet connected."""

    def __init__(self, emulator, key=None):
        self.url, self.key = emulator.url, key or emulator.key
        self.frames, self.messages, self.signals = [], [], []
        self.headers, self.session, self.socket, self.peer, self.channel = {}, None, None, None, None
        self._tasks, self._news = [], asyncio.Event()

    async def __aenter__(self):
        self.http = aiohttp.ClientSession()
        token = (await self.post("/auth/token", {"api_key": self.key}))[1].get("access_token")
        self.headers = {"Authorization": f"Bearer {token}"}
        return self

    async def __aexit__(self, *_):
        await self.leave()
        await self.http.close()

    async def post(self, path, body):
        async with self.http.post(self.url + path, json=body, headers=self.headers) as response:
            return response.status, await response.json()

    async def get(self, path):
        async with self.http.get(self.url + path, headers=self.headers) as response:
            return response.status, await response.json()

    async def admit(self):
        """Asks for a session; returns its address for the WebSocket."""
        status, self.session = await self.post("/sessions/request", {})
        assert status == 200, self.session
        name = self.session["session_id"]
        token = (await self.post("/sessions/token", {"session_id": name}))[1]["session_token"]
        return f"{self.session['signalling_url']}/client/{name}?token={token}"

    async def dial(self, address=None):
        """Opens the WebSocket; returns the first message on it."""
        self.socket = await self.http.ws_connect(address or await self.admit())
        first = await asyncio.wait_for(self.socket.receive_json(), PATIENCE_S)
        self._spawn(self._listen())
        return first

    async def connect(self):
        """Until the data channel is open."""
        await self.accept(await self.dial())

    async def accept(self, offer):
        """Answers an offer, and waits for the data channel."""
        assert offer["type"] == "offer", offer
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        opened = asyncio.Event()
        self.peer.on("track", lambda track: self._spawn(self._watch(track)))
        self.peer.on("datachannel", lambda channel: self._channel(channel, opened))
        await self.peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        await self.signal({"type": "answer", "sdp": self.peer.localDescription.sdp})
        await asyncio.wait_for(opened.wait(), PATIENCE_S)

    def _channel(self, channel, opened):
        if channel.label == "clientToStreamer":
            self.channel = channel
            opened.set()
        else:
            channel.on("message", lambda text: self._take(self.messages, text))

    def _spawn(self, work):
        self._tasks.append(asyncio.create_task(work))

    def _take(self, box, thing):
        box.append(thing)
        self._news.set()

    async def _watch(self, track):
        while True:
            try:
                frame = await track.recv()
            except Exception:
                return
            self._take(self.frames, frame.to_ndarray(format="rgb24"))

    async def _listen(self):
        async for message in self.socket:
            self._take(self.signals, message.data)

    async def signal(self, message):
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    def send(self, message):
        self.channel.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def until(self, condition):
        """Waits for something to become true; returns it."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := condition()):
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.05)
        return found

    async def reply(self, kind):
        """The next message of a kind; forgets it and what came before."""

        def find():
            for index, text in enumerate(self.messages):
                with contextlib.suppress(ValueError, AttributeError):
                    if json.loads(text).get("type") == kind:
                        return index + 1
            return 0

        count = await self.until(find)
        found = json.loads(self.messages[count - 1])
        del self.messages[:count]
        return found

    async def error(self):
        """The reason of the next error."""
        return (await self.reply("interactive_stream_error"))["reason"]

    async def start(self, prompt="a robot at a table", portrait=False, **more):
        self.send({"type": "interactive_stream_start", "prompt": prompt, "portrait": portrait, **more})
        return await self.reply("stream_started")

    async def interact(self, prompt):
        self.send({"type": "update", "prompt": prompt})
        return await self.reply("update_acknowledged")

    async def end(self):
        self.send({"type": "interactive_stream_end"})
        return await self.reply("stream_ended")

    async def picture(self, after=0):
        """A picture that comes after so many more."""
        count = len(self.frames) + after
        await self.until(lambda: len(self.frames) > count)
        return self.frames[-1]

    async def leave(self, politely=True):
        if self.socket is not None:
            if politely and not self.socket.closed:
                await self.signal({"type": "client_disconnecting"})
            await self.socket.close()
        if self.peer is not None:
            await self.peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.socket = self.peer = self.channel = None
