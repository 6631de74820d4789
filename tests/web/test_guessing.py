"""Guessing the password: slower each time for who guesses, and for nobody else."""

from __future__ import annotations

import asyncio
import re
import time

import aiohttp
import pytest

from tests.waiting import eventually
from tests.web.web_env import WebEnv, basic
from web.guessers import MAX_DELAY_OF_A_PROXY_S, client_of
from web.login_throttle import FREE_FAILURES, MAX_GUESSERS, LoginThrottle

WRONG = basic(password="a wrong password")
DEVICE = re.compile(r"punctual-device=([^;]+); Path=/; HttpOnly; SameSite=Strict; Max-Age=\d+")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(now=clock)


class Browser:
    """Somebody at this address of the machine's own, who keeps no cookies."""

    def __init__(self, web_env: WebEnv, address: str = "127.0.0.2") -> None:
        self._url = web_env.url("/")
        self._address = address

    async def ask(self, headers: dict[str, str]) -> tuple[int, str]:
        """The status, and the cookie if there is one."""
        connector = aiohttp.TCPConnector(local_addr=(self._address, 0))
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.get(self._url, headers=headers) as response,
        ):
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 1
            cookie = response.headers.get("Set-Cookie", "")
            return response.status, cookie

    async def guess(self, count: int, headers: dict[str, str] | None = None) -> list[int]:
        return [(await self.ask(WRONG | (headers or {})))[0] for _ in range(count)]


def with_cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"punctual-device={value}"}


# --- how long


def test_each_wrong_password_doubles_the_wait(throttle: LoginThrottle, clock: Clock) -> None:
    waits: list[float] = []
    for _ in range(15):
        throttle.failed("a stranger")
        waits.append(throttle.wait_s("a stranger"))
        clock.now += waits[-1]
        assert throttle.wait_s("a stranger") == 0
    assert waits[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert waits[FREE_FAILURES - 1 :] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


def test_nobody_else_waits(throttle: LoginThrottle) -> None:
    for _ in range(100):
        throttle.failed("a stranger")
    assert throttle.wait_s("an operator") == 0


def test_after_a_quarter_of_an_hour_all_is_forgotten(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(100):
        throttle.failed("a stranger")
    clock.now += 15 * 60 + 1
    throttle.failed("a stranger")
    assert throttle.wait_s("a stranger") == 0


def test_however_many_guess_few_are_remembered_and_those_who_guessed_last(
    throttle: LoginThrottle,
) -> None:
    for _ in range(FREE_FAILURES):
        throttle.failed("a stranger")
    for number in range(MAX_GUESSERS - 1):
        throttle.failed(str(number))
    assert throttle.wait_s("a stranger") > 0
    for number in range(100_000):
        throttle.failed(str(number))
    assert len(throttle) == MAX_GUESSERS


# --- who


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "who"),
    [
        ("192.0.2.1", "", ("192.0.2.1", None)),
        ("192.0.2.1", "198.51.100.1", ("192.0.2.1", None)),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.1", None)),
        ("127.0.0.1", "", ("127.0.0.1", None)),
        ("127.0.0.1", "198.51.100.1", ("198.51.100.1", "127.0.0.1")),
        ("::1", "198.51.100.1", ("198.51.100.1", "::1")),
        ("127.0.0.1", "1.2.3.4, 198.51.100.1", ("198.51.100.1", "127.0.0.1")),
        ("127.0.0.1", "unknown", ("127.0.0.1", None)),
        ("127.0.0.1", "\udcff" * 8_000, ("127.0.0.1", None)),
        ("2001:db8:1:2:3:4:5:6", "", ("2001:db8:1:2::/64", None)),
        ("2001:db8:1:2::9", "", ("2001:db8:1:2::/64", None)),
        ("::ffff:192.0.2.1", "", ("192.0.2.1", None)),
        ("", "", ("", None)),
    ],
)
def test_who_guesses_is_known_by_the_address_that_cannot_be_made_up(
    peer: str, forwarded_for: str, who: tuple[str, str | None]
) -> None:
    assert client_of(peer, forwarded_for) == who


# --- over HTTP


async def test_a_stranger_soon_waits_even_with_the_right_password_and_others_do_not(
    web_env: WebEnv,
) -> None:
    stranger, operator = Browser(web_env), Browser(web_env, "127.0.0.3")
    assert await stranger.guess(12) == [401] * FREE_FAILURES + [429] * 7
    assert (await stranger.ask(basic()))[0] == 429
    assert (await operator.ask(basic()))[0] == 200
    assert (await stranger.ask({}))[0] == 401


async def test_one_who_has_waited_is_let_in(
    web_env: WebEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.login_throttle.FIRST_DELAY_S", 0.2)
    stranger = Browser(web_env)
    await stranger.guess(FREE_FAILURES)
    assert (await stranger.ask(basic()))[0] == 429

    async def let_in() -> bool:
        return (await stranger.ask(basic()))[0] == 200

    await eventually(let_in)


async def test_a_browser_that_was_in_before_is_let_in_whatever_others_guess_at_its_address(
    web_env: WebEnv,
) -> None:
    operator = stranger = Browser(web_env)
    status, cookie = await operator.ask(basic())
    told = DEVICE.fullmatch(cookie)
    assert (status, told is not None) == (200, True)
    assert told is not None
    device = with_cookie(told[1])
    assert 429 in await stranger.guess(FREE_FAILURES + 1)
    assert await operator.ask(basic() | device) == (200, "")
    assert (await operator.ask(device))[0] == 401
    forged = f"{told[1].partition('.')[0]}.{'0' * 64}"
    for value in (forged, f"x{told[1]}", "", ".", "\xff.\xfe"):
        assert (await stranger.ask(basic() | with_cookie(value)))[0] == 429
    assert 429 in await stranger.guess(FREE_FAILURES + 1, device)
    assert (await operator.ask(basic() | device))[0] == 429


async def test_behind_a_proxy_each_client_counts_for_itself(web_env: WebEnv) -> None:
    proxy = Browser(web_env, "127.0.0.1")
    stranger, operator = (
        {"X-Forwarded-For": f"203.0.113.9, 198.51.100.{number}"} for number in (1, 2)
    )
    assert 429 in await proxy.guess(FREE_FAILURES + 2, stranger)

    async def let_in() -> bool:
        return (await proxy.ask(basic() | operator))[0] == 200

    await eventually(let_in, MAX_DELAY_OF_A_PROXY_S + 5)
    assert (await proxy.ask(basic() | stranger))[0] == 429


async def test_addresses_that_are_made_up_through_a_proxy_help_little(web_env: WebEnv) -> None:
    proxy = Browser(web_env, "127.0.0.1")
    began = time.monotonic()
    guesses = (proxy.guess(1, {"X-Forwarded-For": f"198.51.100.{each}"}) for each in range(60))
    statuses = [status for each in await asyncio.gather(*guesses) for status in each]
    could_be_tried = FREE_FAILURES + (time.monotonic() - began) / MAX_DELAY_OF_A_PROXY_S
    assert statuses.count(401) <= could_be_tried
    assert set(statuses) == {401, 429}


async def test_a_guesser_fills_no_log(web_env: WebEnv, caplog: pytest.LogCaptureFixture) -> None:
    await Browser(web_env).guess(30)
    assert caplog.text.count("\n") == 1
