"""Who gets in: nobody without the password, whatever they ask for."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncGenerator

import pytest

from domains.database import Database
from domains.errors import StartupError
from domains.settings import Settings
from web.guard import HEADERS
from web.serving import listening

from .web_env import PASSWORD, TOKEN, USER, WebEnv, basic, open_web_env

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@pytest.fixture
async def routes(web_env: WebEnv) -> list[tuple[str, str]]:
    """All there are, from the router itself, with something for each part of a path."""
    application = await web_env.view.dashboard(PASSWORD)
    found: list[tuple[str, str]] = []
    for route in application.router.routes():
        assert route.resource is not None
        path = re.sub(r"{[^}]*}", "1", route.resource.canonical)
        methods = METHODS if route.method == "*" else (route.method,)
        found += [(method, path) for method in methods]
    return found


async def test_without_the_password_every_route_answers_401_and_nothing_else(
    web_env: WebEnv, routes: list[tuple[str, str]]
) -> None:
    assert len(routes) > 15
    answers: set[tuple[int, str]] = set()
    for method, path in routes:
        answer = await web_env.ask(method, path)
        answers.add((answer.status, answer.text if method != "HEAD" else "401"))
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert {status for status, _ in answers} == {401}
    assert len(answers) == 2  # with a body, and without one


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/nothing", "/../etc/passwd", "/job/x/y", "/%00"]
)
async def test_a_path_that_is_not_there_answers_401_too(web_env: WebEnv, path: str) -> None:
    for method in METHODS:
        assert (await web_env.ask(method, path)).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic YWRtaW4=",
        "Bearer " + basic()["Authorization"].removeprefix("Basic "),
        basic(password="").get("Authorization"),
        basic(password=PASSWORD + " ").get("Authorization"),
        basic(password=PASSWORD.upper()).get("Authorization"),
        basic(user="root").get("Authorization"),
        basic(user=f"{USER}:").get("Authorization"),
        "Basic \xff\xfe",
    ],
)
async def test_a_wrong_login_answers_401(web_env: WebEnv, authorization: str) -> None:
    assert (await web_env.ask("GET", "/", {"Authorization": authorization})).status == 401


@pytest.mark.parametrize("expected", ["100-continue", "something else"])
async def test_what_a_stranger_expects_changes_nothing(web_env: WebEnv, expected: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web_env.view.dashboard_port)
    for path in ("/", "/static/dashboard.css", "/nothing"):
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nExpect: {expected}\r\n\r\n".encode()
        )
        assert (await reader.readline()).split()[1] == b"401"
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("expected", ["", "x", "100-continue"])
@pytest.mark.parametrize(
    "asked", ["GET /%0a", "OPTIONS *", "CONNECT localhost:80", "GET http://localhost", "GET //"]
)
async def test_what_no_route_can_match_is_not_answered_to_a_stranger_either(
    web_env: WebEnv, asked: str, expected: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web_env.view.dashboard_port)
    headers = f"Host: localhost\r\nConnection: close\r\nExpect: {expected}\r\n"
    writer.write(f"{asked} HTTP/1.1\r\n{headers}\r\n".encode())
    answer = (await reader.read()).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"WWW-Authenticate: Basic " in answer
    assert b"Server: punctual\r\n" in answer
    assert b"Expect" not in answer
    writer.close()
    await writer.wait_closed()


async def test_the_password_opens(web_env: WebEnv) -> None:
    assert (await web_env.get("/")).status == 200


async def test_every_answer_carries_the_security_headers(web_env: WebEnv) -> None:
    known, unknown = basic(), None
    for headers, path, status in (
        (unknown, "/", 401),
        (known, "/", 200),
        (known, "/nothing", 404),
        (known, "/static/dashboard.css", 200),
        (known, "/static/nothing", 404),
        (known | {"Host": "evil.example"}, "/", 403),
    ):
        answer = await web_env.ask("GET", path, headers)
        assert answer.status == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:9", "[::1]:9", "LOCALHOST"])
async def test_on_loopback_it_answers_to_its_own_names(web_env: WebEnv, host: str) -> None:
    assert (await web_env.ask("GET", "/", basic() | {"Host": host})).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "[::1", "a b"]
)
async def test_on_loopback_another_name_that_leads_here_without_tls_is_refused(
    web_env: WebEnv, host: str
) -> None:
    assert (await web_env.ask("GET", "/", basic() | {"Host": host})).status == 403


async def test_on_loopback_a_proxy_with_tls_may_keep_its_name(web_env: WebEnv) -> None:
    through_it = {"Host": "bot.example", "Sec-Fetch-Site": "none"}
    assert (await web_env.ask("GET", "/", through_it)).status == 401
    assert (await web_env.ask("GET", "/", basic() | through_it)).status == 200


@pytest.fixture
async def served_to_all(database: Database, settings: Settings) -> AsyncGenerator[WebEnv]:
    """As if it were bound to all addresses; it listens on loopback all the same."""
    everywhere = settings.model_copy(update={"dashboard_host": "0.0.0.0"})
    async with open_web_env(database, settings, workers=False) as web_env:
        web_env.view = type(web_env.view)(
            everywhere,
            database=database,
            scheduled_task=web_env.scheduler,
            tickets=web_env.lifecycle,
            gateway=web_env.gateway,
            names=web_env.names,
            metrics=web_env.metrics,
            addresses=tuple,
        )
        async with listening(
            await web_env.view.dashboard(PASSWORD), "127.0.0.1", 0, "TEST"
        ) as port:
            web_env.view.dashboard_port = port
            yield web_env


async def test_off_loopback_any_name_may_lead_here_but_the_password_is_needed(
    served_to_all: WebEnv,
) -> None:
    named = {"Host": "bot.example"}
    assert (await served_to_all.ask("GET", "/", named)).status == 401
    assert (await served_to_all.ask("GET", "/", basic() | named)).status == 200


async def test_without_a_password_nothing_is_served(database: Database, settings: Settings) -> None:
    async with open_web_env(database, settings, password=None, workers=False) as web_env:
        assert web_env.view.dashboard_port is None


async def test_a_port_that_is_taken_stops_the_start_with_one_line(
    database: Database, settings: Settings
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            StartupError, match=rf"^DASHBOARD_PORT: cannot listen on 127.0.0.1:{port}:"
        ):
            async with open_web_env(database, settings, workers=False, dashboard_port=port):
                pass


async def test_a_refused_login_is_logged_without_what_was_tried(
    web_env: WebEnv, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await web_env.ask("GET", "/", basic(password="tried-this"))
    told = [r.getMessage() for r in caplog.records if "wrong password" in r.getMessage()]
    assert told == ["The dashboard refused a wrong password from 127.0.0.1"]
    assert "tried-this" not in caplog.text


async def test_templates_and_the_rest_of_the_disk_are_not_served(web_env: WebEnv) -> None:
    for path in (
        "/static/../templates/base.html.jinja",
        "/static/%2e%2e/guard.py",
    ):
        assert (await web_env.get(path)).status == 404
    assert TOKEN not in (await web_env.get("/static/dashboard.js")).text
