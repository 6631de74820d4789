"""`/closerequest`: the message, its deadline, and the delays that staff may give."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
import pytest

from domains.settings import Settings
from tests.cogs.forgery import press
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import custom_ids, words
from tests.cogs.world import World, a_world

BUTTONS = {"Accept & Close": "accept", "Deny & Keep Open": "deny"}

DELAYS = {
    "2": timedelta(hours=2),
    "24": timedelta(hours=24),
    "0.5": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "12h": timedelta(hours=12),
    "3d": timedelta(days=3),
    "30m": timedelta(minutes=30),
    "1h30m": timedelta(minutes=90),
    "2 days": timedelta(days=2),
    " 1H ": timedelta(hours=1),
    "60s": timedelta(minutes=1),
    "30d": timedelta(days=30),
    "720": timedelta(days=30),
}
NO_DELAYS = ("0", "0h", " ")
BAD_DELAYS = (
    "59s",
    "1s",
    "721",
    "31d",
    "-5",
    "-2h",
    "soon",
    "1h nonsense",
    "nan",
    "inf",
    "1e9",
    "9" * 300,
    "<@&1>",
    "1h; drop table punctual.tickets",
)


async def test_the_request_is_one_message_that_says_who_asks_why_and_until_when(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        before = len(channel.history())
        message = await world.ask_to_close(channel, "It is solved", "24h")
        assert len([m for m in channel.history() if not m.flags.ephemeral]) == before + 1
        said = words(message)
        assert world.sam.mention in said
        assert "It is solved" in said
        request = await world.request(channel)
        assert request.auto_close_at is not None
        epoch = round(request.auto_close_at.timestamp() - 0.5)
        assert f"<t:{epoch}:F>" in said
        assert f"<t:{epoch}:R>" in said


async def test_the_reply_to_staff_says_when_it_closes(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        text = reply(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        request = await world.request(channel)
        assert request.auto_close_at is not None
        assert f"<t:{int(request.auto_close_at.timestamp())}:R>" in text
        text = reply(await world.sam.slash(channel, "closerequest"))
        assert "only when the member accepts" in text
        assert "<t:" not in text


async def test_without_a_delay_there_is_no_deadline_and_no_job(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        for delay in (None, *NO_DELAYS):
            message = await world.ask_to_close(channel, "It is solved", delay)
            assert (await world.request(channel)).auto_close_at is None
            assert "<t:" not in words(message)
            assert await world.jobs() == []


async def test_the_request_pings_the_opener_and_nobody_else(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        reason = f"@everyone @here {world.eve.mention} {world.support.mention}"
        message = await world.ask_to_close(channel, reason, "2h")
        stored = world.env.backend.get_message(channel.id, message.id)
        assert stored.ping_user_ids == [world.amy.id]
        assert stored.ping_role_ids == []
        assert not stored.mention_everyone
        *_, body = next(
            request
            for request in reversed(world.sent())
            if request[:2] == ("POST", f"/channels/{channel.id}/messages")
        )
        allowed: dict[str, list[Any]] = body["allowed_mentions"]
        assert {kind: [int(i) for i in ids] for kind, ids in allowed.items() if ids} == {
            "users": [world.amy.id]
        }


async def test_the_buttons_are_bound_to_their_request(settings: Settings) -> None:
    async with a_world(settings) as world:
        for member in (world.amy, world.eve):
            channel = await world.open_ticket(member)
            found = custom_ids(await world.ask_to_close(channel))
            request = await world.request(channel)
            assert found == {
                label: f"ticket:close_request:{verb}:{request.id}"
                for label, verb in BUTTONS.items()
            }


async def test_a_timed_request_has_the_same_custom_ids(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        found = custom_ids(await world.ask_to_close(channel, delay="2h"))
        request = await world.request(channel)
        for label, verb in BUTTONS.items():
            assert found[label] == f"ticket:close_request:{verb}:{request.id}"


async def test_a_timed_request_has_one_job_named_after_ticket_and_deadline(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        request = await world.request(channel)
        assert request.auto_close_at is not None
        due_ms = round(request.auto_close_at.timestamp() * 1000)
        assert await world.jobs() == [f"auto-close-{request.ticket_id}-{due_ms}"]
        assert len(await world.jobs("send-reminder")) == 1
        assert (await world.scheduler.counts()).delayed == 2


async def test_delays_are_understood_as_they_are_written(settings: Settings) -> None:
    settings = settings.model_copy(update={"min_close_delay": 60})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        understood: dict[str, timedelta | None] = {}
        for delay in DELAYS:
            await world.ask_to_close(channel, delay=delay)
            request = await world.request(channel)
            assert request.auto_close_at is not None
            understood[delay] = request.auto_close_at - request.requested_at
        close = timedelta(milliseconds=2)
        assert {
            delay: understood[delay]
            for delay, meant in DELAYS.items()
            if abs((understood[delay] or timedelta()) - meant) > close
        } == {}


async def test_a_delay_that_cannot_be_says_what_can_and_changes_nothing(
    settings: Settings,
) -> None:
    settings = settings.model_copy(update={"min_close_delay": 60})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        said = world.says(channel)
        for delay in BAD_DELAYS:
            result = await world.sam.slash(
                channel, "closerequest", reason="It is solved", close_delay=delay
            )
            text = refusal(result)
            assert "1 minute" in text, delay
            assert "30 days" in text, delay
            assert await world.count("close_requests") == 0, delay
            assert await world.jobs() == [], delay
        assert world.says(channel) == said


async def test_a_delay_that_cannot_be_leaves_the_pending_request_alone(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        before, jobs = await world.request(channel), await world.jobs()
        refusal(await world.sam.slash(channel, "closerequest", close_delay="soon"))
        assert await world.request(channel) == before
        assert await world.jobs() == jobs
        assert custom_ids(world.message(channel, message.id))


async def test_the_shortest_delay_is_a_setting(settings: Settings) -> None:
    settings = settings.model_copy(update={"min_close_delay": 3600})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        text = refusal(await world.sam.slash(channel, "closerequest", close_delay="59m"))
        assert "1 hour" in text
        await world.ask_to_close(channel, delay="1h")


async def test_asking_again_replaces_the_request_and_its_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        first = await world.ask_to_close(channel, "First", "2h")
        old_jobs = await world.jobs()
        second = await world.ask_to_close(channel, "Second", "3h")
        assert await world.request_statuses(channel) == ["superseded", "pending"]
        assert custom_ids(world.message(channel, first.id)) == {}
        assert custom_ids(second)
        jobs = await world.jobs()
        assert len(jobs) == 1
        assert jobs != old_jobs


@pytest.mark.parametrize("verb", ["accept", "deny"])
async def test_an_old_custom_id_cannot_act_on_a_new_request(settings: Settings, verb: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        first = await world.ask_to_close(channel, delay="2h")
        old = await world.request(channel)
        second = await world.ask_to_close(channel, delay="3h")
        jobs = await world.jobs()
        for message in (first, second):
            custom_id = f"ticket:close_request:{verb}:{old.id}"
            text = refusal(await press(world, world.amy, message, custom_id))
            assert text.startswith("There's a newer close request")
        assert await world.request_statuses(channel) == ["superseded", "pending"]
        assert await world.jobs() == jobs
        assert world.exists(channel)


async def test_a_request_that_cannot_be_shown_is_taken_back(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.forbid_bot(channel, discord.Permissions(send_messages=True))
        text = refusal(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        assert text.startswith("I couldn't ask the member: the bot lacks the permission")
        assert "Send Messages" in text
        assert await _pending(world) == 0
        assert await world.jobs() == []


async def test_a_request_in_a_ticket_that_is_being_closed_is_refused(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sql.execute("update punctual.tickets set status = 'closing', attention = '{}'")
        text = refusal(await world.sam.slash(channel, "closerequest"))
        assert text == "This ticket is already being closed."
        assert await world.count("close_requests") == 0


async def _pending(world: World) -> int:
    return await world.sql.fetchval(
        "select count(*) from punctual.close_requests where status = 'pending'"
    )
