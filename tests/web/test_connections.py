"""What a stranger can do with connections alone: little, and not for long."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from tests.waiting import eventually
from tests.web.raw_http import RawConnection, answer_to, connection
from tests.web.web_env import WebEnv, basic
from web.connections import MAX_CONNECTIONS, MAX_REFUSALS
from web.serving import listening

SOON_S = 0.4
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
LARGE = b"x" * 50_000_000
MALFORMED = {
    "words": b"hello, is anybody there?\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a long path": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": HEAD + b"X: a\r\n" * 5_000 + b"\r\n",
    "a header without a name": HEAD + b": a\r\n\r\n",
    "two encodings": BODY + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "a length that is none": HEAD + b"Content-Length: -1\r\n\r\n",
    "a null byte": HEAD + b"X: \x00\r\n\r\n",
    "chunks that are none": BODY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is none": BODY + b"Transfer-Encoding: chunked\r\n\r\n1\r\naXX\r\n",
    "nothing in gzip": BODY + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "a websocket": HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    + b"\x81\x05hello"
    * 10_000,
    "a cookie": HEAD + b"Cookie: punctual-device=\xff.\xfe; $=;;=\r\nConnection: close\r\n\r\n",
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_TIMEOUT_S", "STRANGERS_TIMEOUT_S", "LINGERING_S"):
        monkeypatch.setattr(f"web.connections.{name}", SOON_S)


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    """Of a listener that sends too much to whoever asks."""

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=LARGE)

    application = web.Application()
    application.router.add_route("*", "/", large)
    async with listening(application, "127.0.0.1", 0, "TEST") as port:
        yield port


async def idlers(stack: AsyncExitStack, port: int, count: int, of: str) -> list[RawConnection]:
    return [await stack.enter_async_context(connection(port, of=of)) for _ in range(count)]


# --- how long


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD], ids=["nothing", "a word", "half a head"])
async def test_who_asks_for_nothing_is_dropped(impatient: None, port: int, sent: bytes) -> None:
    assert await answer_to(port, sent) == b""


async def test_who_sends_his_headers_one_by_one_is_dropped(impatient: None, port: int) -> None:
    async with connection(port) as slow:
        await slow.send(HEAD)

        async def one_more() -> bool:
            await slow.send(b"X: a\r\n")
            return slow.dropped

        await eventually(one_more)


async def test_who_sends_a_body_for_ever_is_dropped(impatient: None, web_env: WebEnv) -> None:
    assert web_env.view.dashboard_port is not None
    async with connection(web_env.view.dashboard_port) as slow:
        await slow.send(b"POST /job HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        reading = asyncio.create_task(slow.read_all())
        while not reading.done():
            await slow.send(b"a")
            await asyncio.sleep(0.02)
        assert (await reading).startswith(b"HTTP/1.1 401 ")


async def test_who_never_reads_is_dropped(impatient: None, port: int) -> None:
    async with connection(port) as deaf:
        await deaf.send(HEAD + b"\r\n")
        await asyncio.sleep(3 * SOON_S)
        assert len(await deaf.read_all()) < len(LARGE)


async def test_who_has_shown_the_password_may_stay(impatient: None, web_env: WebEnv) -> None:
    assert web_env.view.dashboard_port is not None
    login = basic()["Authorization"].encode()
    request = HEAD + b"Authorization: " + login + b"\r\n"
    async with connection(web_env.view.dashboard_port) as operator:
        until = time.monotonic() + 3 * SOON_S
        while time.monotonic() < until:
            await operator.send(request + b"\r\n")
            await asyncio.sleep(SOON_S / 4)
        await operator.send(request + b"Connection: close\r\n\r\n")
        answers = await operator.read_all()
    assert answers.count(b"HTTP/1.1 200 OK") > 8


# --- how many


async def test_a_new_connection_ends_the_oldest_of_who_has_most(port: int) -> None:
    async with AsyncExitStack() as stack:
        first = await idlers(stack, port, 1, "127.0.0.3")
        crowd = await idlers(stack, port, MAX_CONNECTIONS - 1, "127.0.0.2")
        assert not any(each.dropped for each in [*first, *crowd])
        last = await idlers(stack, port, 1, "127.0.0.4")
        await eventually(lambda: crowd[0].dropped)
        assert not any(each.dropped for each in [*first, *crowd[1:], *last])


async def test_however_many_connect_few_are_kept_and_somebody_else_is_answered(
    web_env: WebEnv,
) -> None:
    port = web_env.view.dashboard_port
    assert port is not None
    async with AsyncExitStack() as stack:
        assert (await web_env.get("/")).status == 200
        crowd = await idlers(stack, port, 2 * MAX_CONNECTIONS, "127.0.0.2")
        await eventually(lambda: sum(not each.dropped for each in crowd) < MAX_CONNECTIONS)
        assert (await web_env.get("/")).status == 200


# --- what they ask


async def test_one_connection_has_few_refusals(web_env: WebEnv) -> None:
    assert web_env.view.dashboard_port is not None
    answers = await answer_to(web_env.view.dashboard_port, (HEAD + b"\r\n") * 1_000)
    assert answers.count(b"HTTP/1.1 401 ") == MAX_REFUSALS
    assert answers.count(b"HTTP/1.1") == MAX_REFUSALS
    assert b"Connection: close\r\n" in answers


async def test_one_connection_has_one_answer_of_a_probe(web_env: WebEnv) -> None:
    assert web_env.view.metrics_port is not None
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers = await answer_to(web_env.view.metrics_port, request * 1_000)
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1") == 1


async def test_nonsense_is_refused_in_few_lines_and_tells_nothing_of_what_runs_here(
    web_env: WebEnv, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    for port in (web_env.view.dashboard_port, web_env.view.metrics_port):
        assert port is not None
        for what, sent in MALFORMED.items():
            answer = await answer_to(port, sent)
            assert re.match(rb"HTTP/\d\.\d 4", answer), what
            assert b"\r\nServer: punctual\r\n" in answer, what
            for word in (b"aiohttp", b"python", b"traceback"):
                assert word not in answer.lower(), what
    assert caplog.text.count("\n") <= 4  # once for each listener, of heads and of bodies
    assert (await web_env.get("/")).status == 200


@pytest.mark.parametrize(
    "encoding", [b"Transfer-Encoding: chunked", b"Content-Length: 9\r\nContent-Encoding: gzip"]
)
async def test_a_body_that_is_nonsense_is_no_traceback_either(
    web_env: WebEnv, impatient: None, caplog: pytest.LogCaptureFixture, encoding: bytes
) -> None:
    for port in (web_env.view.dashboard_port, web_env.view.metrics_port):
        assert port is not None
        async with connection(port) as stranger:
            await stranger.send(BODY + encoding + b"\r\n\r\n")
            await asyncio.sleep(0.05)  # until it is answered, and only read and thrown away
            await stranger.send(b"zz\r\n" * 3)
            await stranger.read_all()
    assert "Traceback" not in caplog.text
    assert caplog.text.count("\n") <= 2


async def test_all_that_ask_for_the_metrics_at_once_are_answered_by_one_look(
    web_env: WebEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    read = type(web_env.view._monitor).dependencies  # pyright: ignore[reportPrivateUsage]

    async def counted(self: object) -> object:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.1)
        return await read(web_env.view._monitor)  # pyright: ignore[reportPrivateUsage]

    monkeypatch.setattr(type(web_env.view._monitor), "dependencies", counted)  # pyright: ignore[reportPrivateUsage]
    answers = await asyncio.gather(*(web_env.probe("/metrics") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert looks <= 3
