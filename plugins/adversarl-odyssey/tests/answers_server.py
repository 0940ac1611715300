"""A web server that gives the answers it was told to give: for refusals that no emulator makes."""

import asyncio
import contextlib

from aiohttp import web


class Answers:
    """What is answered: ``{"POST /auth/token": (status, body)}``, or a handler; a list is used up one by one.

    Attributes:
        answers: The same; may be changed while it runs.
        url: Where it listens.
        asked: Method, path and body of each request.
    """

    def __init__(self, answers):
        self.answers = {
            "POST /auth/token": (200, {"access_token": "a-token", "expires_in": 600}),
            "GET /regions": (200, {"regions": []}),
            **answers,
        }
        self.asked = []

    async def handle(self, request):
        name = f"{request.method} {request.path}"
        self.asked.append((name, await request.text()))
        answer = self.answers.get(name, (404, {"detail": "Not Found"}))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            return await answer(request)
        status, body = answer
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    def count(self, name):
        return sum(asked == name for asked, _ in self.asked)


@contextlib.asynccontextmanager
async def serving(answers):
    """The server, while it runs."""
    server = Answers(answers)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def hang(request):
    """Never answers."""
    del request
    await asyncio.sleep(60)
