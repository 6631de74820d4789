"""What a person sees and can do in the demo."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import pytest
from aiohttp import ClientSession

from tests.demo.discord_window import DiscordWindow
from tests.demo.front_window import FrontWindow
from tests.waiting import eventually

WAIT_TIMEOUT_S = 30.0


async def open_ticket(front: FrontWindow, subject: str) -> str:
    """As casey; gives its channel's name."""
    welcome = await front.look_as("casey", "welcome")
    await welcome.press("Open a ticket")
    await welcome.fill_in(subject=subject)
    await front.look()
    return max(front.channels.values(), key=lambda each: int(each.channel_id)).name


async def ask_to_close(front: FrontWindow, ticket: str, close_delay: str) -> DiscordWindow:
    """As sam."""
    window = await front.look_as("sam", ticket)
    await window.run("closerequest", reason="All done?", close_delay=close_delay)
    return window


async def close(front: FrontWindow, ticket: str) -> None:
    window = await front.look_as("casey", ticket)
    await window.run("close")
    await gone(front, ticket)


async def gone(front: FrontWindow, ticket: str) -> None:
    async def is_gone() -> bool:
        return not await front.shows(ticket)

    await eventually(is_gone, WAIT_TIMEOUT_S)


async def test_a_ticket_closes_by_itself_and_the_log_is_shown_in_its_place(
    front: FrontWindow, session: ClientSession
) -> None:
    ticket = await open_ticket(front, "Refund for order 1234")
    assert front.channels[ticket].is_new

    asked = await ask_to_close(front, ticket, "5s")
    await front.look()
    assert not front.channels[ticket].is_new
    assert front.channels[ticket].is_current
    assert f"<t:{front.channels[ticket].until}:R>" in asked.text
    assert "Accept & Close" in str(asked.snapshot)

    await gone(front, ticket)
    assert front.channels["ticket-log"].is_current
    log = await front.shown()
    assert log.channel == "ticket-log"
    assert "The member did not answer in time" in log.text
    async with session.get(urljoin(front.url, front.now.links[0])) as transcript:
        assert "Refund for order 1234" in await transcript.text()
        assert "sandbox" in transcript.headers["Content-Security-Policy"]


async def test_what_the_bot_does_by_itself_appears_on_an_open_page(front: FrontWindow) -> None:
    ticket = await open_ticket(front, "Watched from the log")
    await ask_to_close(front, ticket, "5s")
    log = await front.look_as("sam", "ticket-log")
    assert "Watched from the log" not in log.text
    await eventually(lambda: log.shows("Watched from the log"), WAIT_TIMEOUT_S)


async def test_a_deadline_can_be_answered(front: FrontWindow) -> None:
    ticket = await open_ticket(front, "To be answered")
    await ask_to_close(front, ticket, "1h")
    window = await front.look_as("casey", ticket)
    await window.press("Deny & Keep Open")
    await eventually(lambda: window.shows("wants to keep this ticket open"))
    assert not await _has_deadline(front, ticket)

    await ask_to_close(front, ticket, "1h")
    assert await _has_deadline(front, ticket)
    window = await front.look_as("casey", ticket)
    await window.write("Not yet, please.")
    await eventually(lambda: window.shows("wrote; the ticket stays open"))
    assert not await _has_deadline(front, ticket)

    await ask_to_close(front, ticket, "1h")
    window = await front.look_as("casey", ticket)
    await window.press("Accept & Close")
    await gone(front, ticket)
    log = await front.shown()
    assert log.channel == "ticket-log"
    assert "accepted the close request" in log.text


async def _has_deadline(front: FrontWindow, ticket: str) -> bool:
    await front.look()
    return front.channels[ticket].until is not None


async def test_everybody_sees_their_own_channels(front: FrontWindow) -> None:
    ticket = await open_ticket(front, "Private")
    assert set(front.channels) == {"welcome", ticket}
    window = await front.look_as("sam", ticket)
    assert set(front.channels) == {"welcome", "ticket-log", ticket}
    assert window.viewers == ["sam", "casey", "owner"]
    window = await front.switch_to("robin")
    assert set(front.channels) == {"welcome"}
    assert window.channel == "welcome"
    await close(front, ticket)


async def test_discords_time_is_the_real_time(front: FrontWindow) -> None:
    window = await front.look_as("sam", "ticket-log")
    now = datetime.now(UTC)
    shown = datetime.fromisoformat(window.snapshot["profile"]["presentationTime"])
    assert abs(now - shown) < timedelta(minutes=1)
    assert window.snapshot["profile"]["timezone"] == "Europe/Berlin"


async def test_people_in_embeds_have_names(front: FrontWindow) -> None:
    ticket = await open_ticket(front, "Names")
    window = await ask_to_close(front, ticket, "1h")
    embed = list(window.snapshot["messages"].values())[-1]["embeds"][0]
    assert "@sam" in str(embed["description_tokens"])
    await close(front, ticket)


async def test_a_page_that_a_viewer_ended_comes_back(front: FrontWindow) -> None:
    window = await front.look_as("casey", "welcome")
    await window.end()
    again = await front.shown()
    assert again.channel == "welcome"
    assert again.viewers[0] == "casey"


async def test_a_channel_that_is_gone_cannot_be_looked_at(front: FrontWindow) -> None:
    ticket = await open_ticket(front, "Gone")
    stale = front.channels[ticket].value
    await close(front, ticket)
    window = await front.press(stale)
    assert window.channel == "ticket-log"


async def test_the_front_page_loads_nothing_foreign(
    front: FrontWindow, session: ClientSession
) -> None:
    async with session.get(front.url) as response:
        page = await response.text()
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    paths = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(path.startswith("/") for path in paths)
    for path in paths:
        async with session.get(urljoin(front.url, path)) as response:
            assert response.status == 200


@pytest.mark.parametrize("form", [{}, {"token": "guessed"}, {"token": "ünïcödé"}])
async def test_a_press_on_a_foreign_page_is_refused(
    front: FrontWindow, session: ClientSession, form: dict[str, str]
) -> None:
    look = {"look": front.channels["welcome"].value}
    async with session.post(front.url + "look", data=form | look) as response:
        assert response.status == 403


async def test_a_foreign_name_for_this_machine_is_refused(
    front: FrontWindow, session: ClientSession
) -> None:
    async with session.get(front.url, headers={"Host": "rebound.example"}) as response:
        assert response.status == 403


@pytest.mark.parametrize("look", ["", "nobody:1", "casey:", "casey:x", "casey"])
async def test_nonsense_is_refused(front: FrontWindow, session: ClientSession, look: str) -> None:
    form = {"look": look, "token": front.now.token}
    async with session.post(front.url + "look", data=form) as response:
        assert response.status == 400


@pytest.mark.parametrize("path", ["transcripts/99/", "transcripts/1/../../1/", "transcripts/x/"])
async def test_no_other_file_is_served(
    front: FrontWindow, session: ClientSession, path: str
) -> None:
    async with session.get(front.url + path) as response:
        assert response.status == 404
