"""What is done to a ticket from its page: asked first, done once, and told with a name."""

from __future__ import annotations

import re
from html import unescape

import pytest

from domains.monitoring.ticket_actions import TicketAction
from domains.ticket_lifecycle.models import RequestStatus, Ticket, TicketStatus

from .web_env import USER, WebEnv, basic, form_in


async def asked(web_env: WebEnv) -> Ticket:
    ticket = await web_env.open("a problem")
    await web_env.ask_to_close(ticket)
    return ticket


def offered(page: str) -> list[str]:
    return re.findall(r'<a class="button[^"]*" href="/tickets/\d+/(\w+)">', page)


def history(page: str) -> str:
    told = page.partition('id="timeline"')[2]
    return " ".join(unescape(re.sub("<[^>]*>", " ", told)).split())


@pytest.mark.parametrize(
    ("action", "said", "told"),
    [
        ("extend", "The deadline is a day later.", "moved the deadline"),
        ("withdraw", "The close request is withdrawn. The ticket stays open.", "withdrew"),
        ("exclude", "The ticket is excluded: it doesn't close by itself.", "excluded it"),
        ("close", "The ticket is closed.", "closes it"),
    ],
)
async def test_an_action_is_asked_for_done_and_told_with_the_name_of_who_was_logged_in(
    web_env: WebEnv, action: str, said: str, told: str
) -> None:
    ticket = await asked(web_env)
    page = (await web_env.get(f"/tickets/{ticket.id}")).text
    assert offered(page) == ["extend", "withdraw", "exclude", "close"]
    before = await web_env.lifecycle.events(ticket.id)
    assert "a problem" in (await web_env.get(f"/tickets/{ticket.id}/{action}")).text
    assert await web_env.lifecycle.events(ticket.id) == before, "to look is not to do"
    assert await web_env.confirm(f"/tickets/{ticket.id}/{action}") == said
    page = (await web_env.get(f"/tickets/{ticket.id}")).text
    assert told in history(page)
    assert f"{USER} (dashboard)" in history(page)
    assert action not in offered(page) or action == "extend"


async def test_what_was_done_holds(web_env: WebEnv) -> None:
    ticket = await asked(web_env)
    first = await web_env.lifecycle.latest_request(ticket.id)
    await web_env.confirm(f"/tickets/{ticket.id}/extend")
    extended = await web_env.lifecycle.latest_request(ticket.id)
    assert first is not None and first.auto_close_at is not None
    assert extended is not None and extended.auto_close_at is not None
    assert (extended.auto_close_at - first.auto_close_at).days == 1
    await web_env.confirm(f"/tickets/{ticket.id}/exclude")
    said = await web_env.confirm(f"/tickets/{ticket.id}/include")
    assert said == "The ticket is included again."
    await web_env.confirm(f"/tickets/{ticket.id}/withdraw")
    withdrawn = await web_env.lifecycle.latest_request(ticket.id)
    assert withdrawn is not None and withdrawn.status is RequestStatus.WITHDRAWN
    await web_env.confirm(f"/tickets/{ticket.id}/close", reason="Solved\u202e by phone")
    closed = await web_env.lifecycle.ticket(ticket.id)
    assert closed is not None and closed.status is TicketStatus.CLOSED
    assert closed.close_reason == "Solved\u202e by phone"
    assert offered((await web_env.get(f"/tickets/{ticket.id}")).text) == []


async def test_a_page_that_is_out_of_date_does_nothing_and_says_so(web_env: WebEnv) -> None:
    """Another request is pending by then, and later the ticket is closed."""
    ticket = await asked(web_env)
    path = f"/tickets/{ticket.id}/extend"
    form = form_in((await web_env.get(path)).text)

    async def is_refused() -> bool:
        answer = await web_env.ask("POST", path, basic(), data=form)
        return 'class="notice bad"' in (await web_env.get(answer.headers["Location"])).text

    await web_env.ask_to_close(ticket)
    assert await is_refused()
    await web_env.lifecycle.close_ticket(ticket.id, 1)
    assert await is_refused()
    assert "isn't possible now" in (await web_env.get(path)).text


@pytest.mark.parametrize("action", list(TicketAction))
async def test_a_token_is_good_for_one_action_on_one_ticket_and_one_request(
    web_env: WebEnv, action: TicketAction
) -> None:
    first, second = await asked(web_env), await asked(web_env)
    other = TicketAction.CLOSE if action is TicketAction.EXTEND else TicketAction.EXTEND
    form = form_in((await web_env.get(f"/tickets/{first.id}/{other}")).text)
    forged: tuple[tuple[Ticket, dict[str, str]], ...] = (
        (first, form),
        (first, {}),
        (first, form | {"token": "0" * 64}),
        (second, form),
        (first, form | {"request": "2"}),
    )
    before = await web_env.lifecycle.events(first.id), await web_env.lifecycle.events(second.id)
    for ticket, fields in forged:
        path = f"/tickets/{ticket.id}/{action.value}"
        assert (await web_env.ask("POST", path, basic(), data=fields)).status == 403
    elsewhere = basic() | {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    path = f"/tickets/{first.id}/{other}"
    assert (await web_env.ask("POST", path, elsewhere, data=form)).status == 403
    after = await web_env.lifecycle.events(first.id), await web_env.lifecycle.events(second.id)
    assert after == before


async def test_what_there_is_not_is_not_found(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    for path in (f"/tickets/{ticket.id}/burn", "/tickets/999/close", "/tickets/1/close/now"):
        assert (await web_env.get(path)).status == 404, path


async def test_who_ends_a_job_lands_on_a_page_that_is_there(web_env: WebEnv) -> None:
    """On its ticket's, or on the list that it was in: `press` reads a green notice there."""
    await web_env.note("a note", 4_000_000_000)
    assert await web_env.press("a note", "cancel") == "a note is removed."
    key = await web_env.ask_to_close(await web_env.open())
    assert "is withdrawn" in await web_env.press(key, "cancel")
