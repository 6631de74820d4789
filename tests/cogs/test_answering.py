"""What becomes of a close request: accepted, denied, withdrawn, answered, or run out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.forgery import press, press_twice_at_once
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import buttons, words
from tests.cogs.world import SUBJECT, World, a_world
from tests.waiting import eventually

ACCEPT, DENY, MORE_TIME = "Accept & Close", "Deny & Keep Open", "Need more time"


def transcripts(world: World) -> list[tuple[str, str]]:
    """Names and contents of the pages posted in the log channel."""
    blobs = world.env.backend.cdn
    return [
        (attachment.filename, (blobs.get(attachment.url) or b"").decode())
        for message in world.logs.history()
        for attachment in message.attachments
    ]


def direct_messages(member: simcord.MemberActor) -> list[str]:
    return [words(message) for message in member.user.dm_channel.history()]


async def test_accepting_closes_the_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, "It burns, I tell you")
        message = await world.ask_to_close(channel, "It is out", "2h")
        await world.amy.click(message, label=ACCEPT)
        assert not world.exists(channel)
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["accepted"]
        assert (await world.request(channel)).resolved_by_id == world.amy.id
        assert await world.jobs() == []


async def test_a_close_is_logged_with_its_transcript(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, "It burns, I tell you")
        message = await world.ask_to_close(channel, "It is out")
        await world.amy.click(message, label=ACCEPT)
        (log,) = world.says(world.logs)
        for part in ("ticket", "0001", world.amy.mention, SUBJECT, "It is out", "accepted"):
            assert part in log.lower() or part in log, part
        ((filename, page),) = transcripts(world)
        assert filename == "ticket-0001.html"
        assert "It burns, I tell you" in page
        assert SUBJECT in page


async def test_attachments_are_in_the_log_with_the_transcript(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, "Look", attachments=[("fire.txt", b"flames")])
        await world.amy.slash(channel, "close")
        await world.until_closed(channel)
        found = dict(transcripts(world))
        assert found["fire.txt"] == "flames"
        assert "fire.txt" in found["ticket-0001.html"]


async def test_the_opener_is_told_in_a_direct_message(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sam.slash(channel, "close", reason="Answered in the FAQ")
        await world.until_closed(channel)
        (text,) = direct_messages(world.amy)
        assert "0001" in text
        assert "The guild" in text
        assert "Answered in the FAQ" in text
        assert direct_messages(world.sam) == []


async def test_denying_keeps_the_ticket_and_removes_the_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(message, label=DENY)
        assert await world.request_statuses(channel) == ["denied"]
        assert (await world.request(channel)).resolved_by_id == world.amy.id
        assert await world.jobs() == []
        assert (await world.ticket(channel)).status == "open"
        shown = world.message(channel, message.id)
        assert buttons(shown) == []
        assert "denied" in words(shown)
        assert world.amy.mention in words(shown)


async def test_support_withdraws_with_the_same_button(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.sam.click(message, label=DENY)
        assert await world.request_statuses(channel) == ["withdrawn"]
        assert await world.jobs() == []
        assert buttons(world.message(channel, message.id)) == []


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (DENY, "accept", "has already denied"),
        (DENY, "deny", "has already denied"),
        (ACCEPT, "deny", None),
    ],
)
async def test_who_presses_too_late_reads_what_happened(
    settings: Settings, first: str, second: str, sentence: str | None
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        request = await world.request(channel)
        custom_id = f"ticket:close_request:{second}:{request.id}"
        if first == ACCEPT:
            # The channel must stay for the second press: Discord is slow to delete it.
            world.env.inject_error("DELETE", f"/channels/{channel.id}", status=500)
            sentence = "has already accepted"
        await world.amy.click(message, label=first)
        text = refusal(await press(world, world.amy, message, custom_id))
        assert sentence is not None
        assert sentence in text
        assert world.amy.mention in text


async def test_after_a_denial_support_can_ask_again(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel)
        await world.amy.click(message, label=DENY)
        await world.ask_to_close(channel)
        assert await world.request_statuses(channel) == ["denied", "pending"]


async def test_silence_closes_the_ticket_on_time_and_never_before(settings: Settings) -> None:
    """The only deadline that is waited for here: worker, queue and clock for real."""
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, "Any news?", "1s")
        await world.until_closed(channel)
        assert not world.exists(channel)
        assert await world.request_statuses(channel) == ["expired"]
        late_ms = await world.sql.fetchval(
            "select late_ms from punctual.ticket_events where event = 'expired'"
        )
        assert late_ms >= 0
        assert await world.jobs() == []
        assert "Any news?" in world.says(world.logs)[0]
        assert len(direct_messages(world.amy)) == 1


async def test_a_reply_of_the_opener_keeps_the_ticket_open_and_the_channel_is_told(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        assert await world.request_statuses(channel) == ["answered"]
        assert await world.jobs() == []
        assert "stays open" in world.says(channel)[-1]
        assert buttons(world.message(channel, message.id)) == []
        await world.pass_deadline(channel)
        assert world.exists(channel)


async def test_who_asked_is_told_of_an_answer_by_a_reply_that_pings_nobody_else(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        request = await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        assert_is_reply(world, channel, request, world.sam)


async def test_who_asked_is_told_of_a_denial_by_a_reply(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        request = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(request, label=DENY)
        assert_is_reply(world, channel, request, world.sam)
        assert f"{world.amy.mention} wants to keep this ticket open" in world.says(channel)[-1]


async def test_more_time_is_told_in_one_reply_that_is_changed(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        request = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(request, label=MORE_TIME)
        assert_is_reply(world, channel, request, world.sam)
        said = world.says(channel)
        assert "2 more times" in said[-1]
        await world.amy.click(world.message(channel, request.id), label=MORE_TIME)
        deadline = (await world.request(channel)).auto_close_at
        assert deadline is not None
        assert len(world.says(channel)) == len(said)
        assert "1 more time." in world.says(channel)[-1]
        assert f"<t:{int(deadline.timestamp())}:F>" in world.says(channel)[-1]
        ticket = await world.ticket(channel)
        await world.tickets.extend_close_request(ticket.id, world.sam.id)
        assert f"{world.sam.mention} gave you more time" in world.says(channel)[-1]
        await world.amy.click(world.message(channel, request.id), label=DENY)
        assert any("it is over now" in text for text in world.says(channel))


async def test_more_time_from_support_is_told_to_the_opener(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        request = await world.ask_to_close(channel, delay="2h")
        await world.tickets.extend_close_request(
            (await world.ticket(channel)).id, world.sam.id, (await world.request(channel)).id
        )
        assert_is_reply(world, channel, request, world.amy)


def assert_is_reply(
    world: World,
    channel: simcord.ChannelHandle,
    request: discord.Message,
    who: simcord.MemberActor,
) -> None:
    """The last message answers the request's, and pings them alone."""
    last = channel.history()[-1]
    assert last.reference is not None
    assert last.reference.message_id == request.id
    stored = world.env.backend.get_message(channel.id, last.id)
    pings = stored.ping_user_ids, stored.ping_role_ids, stored.mention_everyone
    assert pings == ([who.id], [], False)


@pytest.mark.parametrize("who", ["sam", "eve"])
async def test_only_the_openers_words_are_a_reply(settings: Settings, who: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        member: simcord.MemberActor = getattr(world, who)
        world.show(channel, member)
        await world.ask_to_close(channel, delay="2h")
        await member.send(channel, "I say: close it")
        assert await world.request_statuses(channel) == ["pending"]
        await world.pass_deadline(channel)
        await world.until_closed(channel)


async def test_what_the_opener_wrote_before_the_request_is_no_reply(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, "Hello?")
        await world.ask_to_close(channel, delay="2h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["expired"]


async def test_a_reply_elsewhere_is_no_reply(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        other = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.send(other, "Here I am")
        await world.amy.send(world.lobby, "And here")
        assert await world.request_statuses(channel) == ["pending"]


async def test_a_reply_leaves_a_request_without_timer_pending(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel)
        said = len(world.says(channel))
        await world.amy.send(channel, "Let me think")
        assert await world.request_statuses(channel) == ["pending"]
        assert len(world.says(channel)) == said
        await world.amy.click(message, label=ACCEPT)
        await world.until_closed(channel)


async def test_a_guild_can_have_replies_not_count(settings: Settings) -> None:
    async with a_world(settings) as world:
        text = reply(await world.boss.slash(world.lobby, "autoclose replies", keep_open=False))
        assert "no longer" in text
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        assert await world.request_statuses(channel) == ["pending"]
        assert len(await world.jobs()) == 1
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        reply(await world.boss.slash(world.lobby, "autoclose replies", keep_open=True))
        second = await world.open_ticket(world.amy)
        await world.ask_to_close(second, delay="2h")
        await world.amy.send(second, "Not yet!")
        assert await world.request_statuses(second) == ["answered"]


async def test_close_ends_a_pending_request_and_its_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.sam.slash(channel, "close")
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["closed"]
        assert await world.jobs() == []


async def test_a_forged_custom_id_of_another_ticket_does_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        mine, hers = await world.open_ticket(world.amy), await world.open_ticket(world.eve)
        message = await world.ask_to_close(mine, delay="2h")
        await world.ask_to_close(hers, delay="2h")
        jobs = await world.jobs()
        for verb in ("accept", "deny", "extend"):
            custom_id = f"ticket:close_request:{verb}:{(await world.request(hers)).id}"
            text = refusal(await press(world, world.amy, message, custom_id))
            assert text == "This isn't a ticket channel. Try it in a ticket."
        assert await world.request_statuses(hers) == ["pending"]
        assert await world.jobs() == jobs
        assert world.exists(hers)


async def test_a_forged_custom_id_of_another_guild_does_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        other = world.neighbour()
        await other.set_up()
        there = await other.open_ticket(other.amy)
        await other.ask_to_close(there, delay="2h")
        request = await other.request(there)
        here = await world.open_ticket(world.amy)
        message = await world.ask_to_close(here)
        for verb in ("close_request:accept", "close_request:deny", "close_request:extend"):
            refusal(await press(world, world.amy, message, f"ticket:{verb}:{request.id}"))
        assert await other.request_statuses(there) == ["pending"]
        assert other.exists(there)


async def test_a_forged_retry_of_another_guilds_ticket_does_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        other = world.neighbour()
        await other.set_up()
        there = await other.open_ticket(other.amy)
        await world.sql.execute("update punctual.tickets set status = 'closing', attention = '{}'")
        custom_id = f"ticket:close:retry:{(await other.ticket(there)).id}"
        text = refusal(await press(world, world.boss, world.panel, custom_id))
        assert text == "This isn't a ticket channel. Try it in a ticket."
        assert (await other.ticket(there)).attention == {}
        assert other.exists(there)


async def test_a_custom_id_outside_tickets_does_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel)
        custom_id = f"ticket:close_request:accept:{(await world.request(channel)).id}"
        refusal(await press(world, world.amy, world.panel, custom_id))
        assert await world.request_statuses(channel) == ["pending"]


@pytest.mark.parametrize("number", ["0", "999999999999999999", "000000000000000001x"])
async def test_a_forged_number_does_nothing(settings: Settings, number: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        for verb in ("close_request:accept", "close_request:deny", "close:retry"):
            result = await press(world, world.amy, message, f"ticket:{verb}:{number}")
            if number.isdecimal():
                assert refusal(result) == "This isn't a ticket channel. Try it in a ticket."
        assert await world.request_statuses(channel) == ["pending"]
        assert len(await world.jobs()) == 1


@pytest.mark.parametrize(
    "number", ["", "-1", "1.0", "abc", "9" * 19, "9" * 60, "1 or 1=1", "١", "1\n"]
)
async def test_what_is_no_number_does_nothing(settings: Settings, number: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        for verb in ("close_request:accept", "close_request:deny", "close:retry"):
            await press(world, world.amy, message, f"ticket:{verb}:{number}")
        assert await world.request_statuses(channel) == ["pending"]
        assert len(await world.jobs()) == 1


async def test_asking_for_more_time_moves_the_deadline_by_a_day(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        before, jobs = await world.request(channel), await world.jobs()
        await world.amy.click(message, label="Need more time")
        after = await world.request(channel)
        assert before.auto_close_at is not None
        assert after.auto_close_at is not None
        assert (after.auto_close_at - before.auto_close_at).total_seconds() == 24 * 3600
        assert len(await world.jobs()) == 1
        assert await world.jobs() != jobs
        shown = words(world.message(channel, message.id))
        assert f"<t:{int(after.auto_close_at.timestamp())}:F>" in shown
        await eventually(lambda: "more time" in world.says(channel)[-1])


async def test_two_clicks_at_once_on_more_time_move_the_deadline_once(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        before = await world.request(channel)
        results = await press_twice_at_once(world, world.amy, message, "Need more time")
        after = await world.request(channel)
        assert before.auto_close_at is not None
        assert after.auto_close_at == before.auto_close_at + timedelta(hours=24)
        assert after.extensions == 1
        (second,) = [result for result in results if result.followups]
        assert refusal(second) == "The deadline has already been moved."
        await world.amy.click(world.message(channel, message.id), label="Need more time")
        assert (await world.request(channel)).extensions == 2


async def test_a_button_of_an_older_version_still_gives_more_time(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        request = await world.request(channel)
        await press(world, world.amy, message, f"ticket:close_request:extend:{request.id}")
        assert (await world.request(channel)).extensions == 1


async def test_only_the_opener_may_ask_for_more_time(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.show(channel, world.eve)
        message = await world.ask_to_close(channel, delay="2h")
        before = await world.request(channel)
        for member in (world.eve, world.sam):
            refusal(await member.click(message, label="Need more time"))
        assert await world.request(channel) == before


async def test_a_ticket_that_discord_is_slow_to_tell_holds_up_no_deadline(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlines wait until an answer is noted, not until the ticket says so."""
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        go_on = asyncio.Event()

        async def is_slow(*_: object) -> None:
            await go_on.wait()

        monkeypatch.setattr(world.tickets, "tell", is_slow)
        writing = asyncio.create_task(world.amy.send(channel, "Wait!"))

        async def answered() -> bool:
            return await world.request_statuses(channel) == ["answered"]

        await eventually(answered)
        await world.tickets.require_current()
        go_on.set()
        await writing


async def test_what_was_said_where_the_bot_could_not_see_it_is_read(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        world.forbid_bot(channel, discord.Permissions(view_channel=True))
        world.write_unheard(world.amy, channel, "It burns again!")
        world.allow_bot(channel, discord.Permissions(view_channel=True))
        await world.pass_deadline(channel)

        async def answered() -> bool:
            return await world.request_statuses(channel) == ["answered"]

        await eventually(answered)
        assert world.exists(channel)
