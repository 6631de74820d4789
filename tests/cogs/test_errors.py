"""Every interaction is answered: in time, in a sentence, and traceably if it is a riddle."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import simcord

from domains.database import Database
from domains.settings import Settings
from tests.cogs.forgery import press
from tests.cogs.replies import refusal, reply
from tests.cogs.world import SUBJECT, World, a_world
from tests.waiting import eventually

RIDDLE = re.compile(r"Something went wrong\. If it happens again, report the id `([0-9a-f]{8})`\.")
SECRET = "the password is hunter2"

Act = Callable[[World], Awaitable[simcord.InteractionResult]]


async def asked(world: World) -> simcord.ChannelHandle:
    """A ticket with a pending timed request."""
    channel = await world.open_ticket(world.amy)
    await world.ask_to_close(channel, delay="2h")
    return channel


def ticket_channel(world: World) -> simcord.ChannelHandle:
    return world.guild.channels["ticket-0001"]


def click(label: str) -> Act:
    async def act(world: World) -> simcord.InteractionResult:
        message = next(m for m in reversed(ticket_channel(world).history()) if m.components)
        return await world.amy.click(message, label=label)

    return act


def command(name: str, **options: Any) -> Act:
    async def act(world: World) -> simcord.InteractionResult:
        member = (
            world.boss
            if name in ("setup", "doctor", "limits", "language", "autoclose replies")
            else world.sam
        )
        place = world.lobby if member is world.boss else ticket_channel(world)
        return await member.slash(place, name, **options)

    return act


async def open_another(world: World) -> simcord.InteractionResult:
    return await world.ask_for_ticket(world.amy)


HANDLERS: dict[str, Act] = {
    "/setup": command("setup"),
    "/doctor": command("doctor"),
    "/closerequest": command("closerequest"),
    "/close": command("close"),
    "/autoclose exclude": command("autoclose exclude"),
    "/autoclose include": command("autoclose include"),
    "/autoclose status": command("autoclose status"),
    "/autoclose replies": command("autoclose replies", keep_open=True),
    "/timers": command("timers"),
    "/blocked": command("blocked"),
    "/limits": command("limits", cooldown="1h"),
    "/language": command("language", language="de"),
    "the modal": open_another,
    "Accept & Close": click("Accept & Close"),
    "Deny & Keep Open": click("Deny & Keep Open"),
    "Need more time": click("Need more time"),
}


@contextmanager
def a_riddle_in_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Every handler needs the database for something, and does not expect this of it."""
    world.provoked.append(ZeroDivisionError)

    def fail(_database: Database) -> None:
        raise ZeroDivisionError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "connection", fail)
        patch.setattr(Database, "transaction", fail)
        yield


@pytest.mark.parametrize("act", HANDLERS.values(), ids=HANDLERS.keys())
async def test_an_unexpected_error_is_answered_with_the_id_that_is_in_the_log(
    settings: Settings,
    act: Act,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_world(settings) as world:
        await asked(world)
        with a_riddle_in_the_database(world, monkeypatch):
            text = refusal(await act(world))
        found = RIDDLE.fullmatch(text)
        assert found is not None, text
        (record,) = [r for r in caplog.records if found[1] in r.getMessage()]
        assert record.levelno == logging.ERROR
        assert record.exc_info is not None
        assert isinstance(record.exc_info[1], ZeroDivisionError)


async def test_the_list_of_timers_and_retry_answer_an_unexpected_error_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_world(settings) as world:
        channel = await asked(world)
        request = await world.request(channel)
        shown = (await world.sam.slash(world.lobby, "timers")).response
        assert shown is not None
        retry = f"ticket:close:retry:{request.ticket_id}"
        with a_riddle_in_the_database(world, monkeypatch):
            texts = [
                refusal(await world.sam.click(shown, label="Details")),
                refusal(await press(world, world.sam, world.panel, retry)),
            ]
        ids = [found[1] for text in texts if (found := RIDDLE.fullmatch(text))]
        assert len(set(ids)) == 2
        assert all(id_ in caplog.text for id_ in ids)


async def test_the_panels_button_answers_an_unexpected_error(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_world(settings) as world:
        world.provoked.append(Exception)
        world.env.inject_error("POST", "/interactions/*/*/callback", status=500)
        text = refusal(await world.amy.click(world.panel, label="Open a ticket"))
        found = RIDDLE.fullmatch(text)
        assert found is not None, text
        assert found[1] in caplog.text


async def be_refused(world: World) -> simcord.InteractionResult:
    return await world.amy.slash(ticket_channel(world), "closerequest")


SLOW_HANDLERS: dict[str, Act] = HANDLERS | {"a refusal": be_refused}


@pytest.mark.parametrize("act", SLOW_HANDLERS.values(), ids=SLOW_HANDLERS.keys())
async def test_discord_is_answered_before_the_database_is_asked(
    settings: Settings, act: Act
) -> None:
    async with a_world(settings) as world:
        await asked(world)
        assert await answers_in_time(world, act(world), steps=2 if act is open_another else 1)


async def test_the_list_of_timers_answers_discord_before_it_asks_the_database(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        await asked(world)
        shown = (await world.sam.slash(world.lobby, "timers")).response
        assert shown is not None
        assert await answers_in_time(world, world.sam.click(shown, label="Details"))


async def answers_in_time(
    world: World, act: Awaitable[simcord.InteractionResult], steps: int = 1
) -> bool:
    """Whether Discord has its answer while the database has yet to give one: there are three
    seconds, and a statement may take longer."""
    wanted = _answers(world) + steps
    async with world.sql.transaction():
        await world.sql.execute(
            "lock table punctual.tickets, punctual.close_requests, punctual.guild_settings"
            " in access exclusive mode"
        )
        doing = asyncio.ensure_future(act)
        try:
            await eventually(lambda: _answers(world) >= wanted, timeout_s=1.5)
        except AssertionError:
            in_time = False
        else:
            in_time = True
    await doing
    return in_time


def _answers(world: World) -> int:
    return sum(path.endswith("/callback") for _, path, _ in world.sent())


async def test_the_panel_is_answered_for_before_it_is_posted(settings: Settings) -> None:
    """Posting may wait for a rate limit, and the interaction does not."""
    async with a_world(settings) as world:
        before = len(world.env.http_requests)
        reply(await world.boss.slash(world.lobby, "panel"))
        first = world.env.http_requests[before]
        assert first.path.endswith("/callback")


async def test_an_interaction_that_was_answered_elsewhere_is_no_riddle(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A second bot with the same token, or an answer that came too late."""
    async with a_world(settings) as world:
        world.provoked.append(Exception)
        channel = await asked(world)
        for code in (40060, 10062):
            world.env.inject_error("POST", "/interactions/*/*/callback", status=400, code=code)
            await world.sam.slash(channel, "autoclose status")
        assert "Something went wrong" not in caplog.text
        assert "Unexpected error" not in caplog.text


async def test_a_reply_that_nobody_can_read_any_more_breaks_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.provoked.append(Exception)
        channel = await asked(world)
        world.env.inject_error("POST", "/webhooks/*/*", status=404, code=10015)
        await world.sam.slash(channel, "closerequest", reason=SUBJECT)
        assert (await world.request(channel)).reason == SUBJECT
