"""No other site acts with an operator's password: the token, and what browsers say of a request."""

from __future__ import annotations

import pytest

from domains.scheduled_task.inspection import JobState
from domains.scheduled_task.job_type import TICKET_LIFECYCLE
from web.actions import job_action
from web.guard import Guard

from .web_env import PASSWORD, USER, Answer, WebEnv, basic, token_in

LATER = 4_000_000_000.0


@pytest.fixture
async def key(web_env: WebEnv) -> str:
    return await web_env.note("a note", LATER)


async def press(
    web_env: WebEnv, key: str, token: str | None, headers: dict[str, str] | None = None
) -> Answer:
    form = {"queue": TICKET_LIFECYCLE, "key": key, "action": "run-now"}
    if token is not None:
        form["token"] = token
    return await web_env.ask("POST", "/job", basic() | (headers or {}), data=form)


async def still_waits(web_env: WebEnv, key: str) -> bool:
    return (await web_env.job(key)).state is JobState.DELAYED


async def test_the_form_of_the_page_itself_works(web_env: WebEnv, key: str) -> None:
    origin = f"http://127.0.0.1:{web_env.view.dashboard_port}"
    token = token_in((await web_env.page_of(key)).text)
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert (await press(web_env, key, token, headers)).status == 303
    assert not await still_waits(web_env, key)


async def test_without_its_token_a_form_is_refused(web_env: WebEnv, key: str) -> None:
    other = await web_env.note("another note", LATER)
    token_of_another = token_in((await web_env.page_of(other)).text)
    for token in (None, "", "0" * 64, "ü", token_of_another):
        assert (await press(web_env, key, token)).status == 403
    assert await still_waits(web_env, key)


async def test_a_token_of_another_run_is_refused(web_env: WebEnv, key: str) -> None:
    another_run = Guard(USER, PASSWORD, None)
    token = another_run.token(job_action(TICKET_LIFECYCLE, key))
    assert (await press(web_env, key, token)).status == 403
    assert await still_waits(web_env, key)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "127.0.0.1", "Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_form_of_another_site_is_refused_even_with_the_token(
    web_env: WebEnv, key: str, headers: dict[str, str]
) -> None:
    token = token_in((await web_env.page_of(key)).text)
    assert (await press(web_env, key, token, headers)).status == 403
    assert await still_waits(web_env, key)


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("host", ["bot.example", "127.0.0.1:8090"])
async def test_behind_a_proxy_with_tls_the_form_works_whether_it_keeps_the_host_or_not(
    web_env: WebEnv, key: str, host: str, site: str
) -> None:
    token = token_in((await web_env.page_of(key)).text)
    headers = {"Host": host, "Origin": "https://bot.example", "Sec-Fetch-Site": site}
    assert (await press(web_env, key, token, headers)).status == 303
    assert not await still_waits(web_env, key)


async def test_nothing_is_done_by_a_link(web_env: WebEnv, key: str) -> None:
    token = token_in((await web_env.page_of(key)).text)
    query = f"queue={TICKET_LIFECYCLE}&key={key}&action=run-now&token={token}"
    assert (await web_env.get(f"/job?{query}")).status == 200
    assert await still_waits(web_env, key)


async def test_a_ticket_is_tried_again_only_with_its_own_token(web_env: WebEnv) -> None:
    first, second = await web_env.open(), await web_env.open()
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'""")
    page = (await web_env.get(f"/tickets/{first.id}/retry")).text
    for token in ("", token_in(page)):
        answer = await web_env.ask(
            "POST", f"/tickets/{second.id}/retry", basic(), data={"token": token}
        )
        assert answer.status == 403


async def test_a_form_that_is_too_large_is_refused(web_env: WebEnv) -> None:
    answer = await web_env.ask("POST", "/job", basic(), data={"key": "x" * 100_000})
    assert answer.status == 413


async def test_an_action_that_there_is_not_is_refused(web_env: WebEnv, key: str) -> None:
    token = token_in((await web_env.page_of(key)).text)
    form = {"queue": TICKET_LIFECYCLE, "key": key, "action": "explode", "token": token}
    assert (await web_env.ask("POST", "/job", basic(), data=form)).status == 400


async def test_what_an_action_said_is_shown_once_and_cannot_be_put_into_a_link(
    web_env: WebEnv, key: str
) -> None:
    token = token_in((await web_env.page_of(key)).text)
    location = (await press(web_env, key, token)).headers["Location"]
    assert "runs now" in (await web_env.get(location)).text
    assert 'class="notice"' not in (await web_env.get(location)).text
    assert "Hello" not in (await web_env.get("/?said=Hello")).text
