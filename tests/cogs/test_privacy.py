"""What is kept of a member can be deleted, and handed over; and goes when its time is over."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile

import discord
import pytest
import simcord
from saq.job import Status

from domains.scheduled_task.job_type import JobRequest
from domains.settings import Settings
from domains.transcripts.erasure import TranscriptErasure
from tests.cogs.forgery import press
from tests.cogs.leftovers import places_of
from tests.cogs.replies import refusal, reply
from tests.cogs.world import World, a_world
from tests.waiting import eventually

SECRET = "my neighbour is a walrus"
REASON = "walrus solved"
DELETE = "Delete it for good"
FORGET_ALL = "ticket:forget:{}"


async def a_closed_ticket(world: World, *, by: simcord.MemberActor) -> simcord.ChannelHandle:
    """Amy's, in which Amy, Sam and Eve wrote, with files and close requests of both."""
    channel = await world.open_ticket(world.amy, f"About {SECRET}")
    world.show(channel, world.eve)
    said = await world.amy.send(
        channel, f"Please help: {SECRET}", attachments=[("walrus.txt", b"tusk")]
    )
    await world.sam.send(channel, "The moose is on its way", attachments=[("moose.txt", b"antler")])
    await world.eve.send(channel, f"I know {world.sam.mention}, ask @sam", reply_to=said)
    await world.ask_to_close(channel, "moose delivered", "1h")
    await world.amy.slash(channel, "autoclose status")
    await by.slash(channel, "close", reason=REASON)
    await world.until_closed(channel)
    return channel


async def press_delete(
    world: World, member: simcord.MemberActor | simcord.UserHandle, asked: simcord.InteractionResult
) -> str:
    assert "It can't be undone" in reply(asked)
    pressed = await member.click(asked.response or asked.followups[-1], label=DELETE)
    return reply(pressed)


async def test_forget_me_leaves_nothing_of_a_member_anywhere(settings: Settings) -> None:
    async with a_world(settings) as world:
        await a_closed_ticket(world, by=world.amy)
        words = (SECRET, "walrus", "tusk", str(world.amy.id), "amy")
        assert await places_of(settings, *words)
        asked = await world.amy.slash(world.lobby, "forget-me")
        assert "1 closed ticket of yours" in reply(asked)
        assert await places_of(settings, SECRET), "deleted before it was confirmed"
        told = await press_delete(world, world.amy, asked)
        assert told.startswith("Deleted: what was kept of 1 closed ticket of yours")
        assert "Backups" in told
        assert await places_of(settings, *words) == []
        assert await world.count("tickets") == 1
        assert await world.count("erasures") == 0


async def test_staff_is_forgotten_in_the_tickets_of_others(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await a_closed_ticket(world, by=world.sam)
        words = ("moose", "antler", REASON, str(world.sam.id), "sam")
        asked = await world.sam.slash(world.lobby, "forget-me")
        told = await press_delete(world, world.sam, asked)
        assert "your part in 1 closed ticket of others" in told
        assert await places_of(settings, *words) == []
        # What others wrote is still there, with its files.
        assert len(await places_of(settings, SECRET)) == 2
        assert await places_of(settings, "tusk")
        ticket = await world.ticket(channel)
        assert ticket.opener_id == world.amy.id


async def test_open_tickets_are_named_and_kept(settings: Settings) -> None:
    async with a_world(settings) as world:
        kept = await world.open_ticket(world.amy, "Still about the walrus")
        closed = await world.open_ticket(world.amy, "Over: the narwhal")
        await world.amy.slash(closed, "close")
        await world.until_closed(closed)
        asked = await world.amy.user.slash("forget-me")
        assert "Kept, because they aren't closed yet: #ticket-0001 in The guild." in reply(asked)
        told = await press_delete(world, world.amy.user, asked)
        assert "Kept, because they aren't closed yet: #ticket-0001 in The guild." in told
        assert await places_of(settings, "narwhal") == []
        assert (await world.ticket(kept)).opener_id == world.amy.id
        assert (await world.ticket(kept)).subject == "Still about the walrus"


async def test_a_ticket_that_is_still_closing_keeps_what_is_not_saved_yet(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy, SECRET)
        await world.amy.send(channel, f"Listen: {SECRET}")
        world.forbid_bot(channel, discord.Permissions(read_message_history=True))
        await world.sam.slash(channel, "close")
        told = await press_delete(world, world.amy, await world.amy.slash(world.lobby, "forget-me"))
        assert "Kept, because they aren't closed yet: #ticket-0001" in told
        assert (await world.ticket(channel)).subject == SECRET
        assert world.exists(channel)


async def test_forget_is_for_managers_and_for_this_server_only(settings: Settings) -> None:
    async with a_world(settings) as world:
        await a_closed_ticket(world, by=world.amy)
        other = world.neighbour()
        await other.set_up()
        elsewhere = await other.open_ticket(other.amy, "Nothing special")
        await other.amy.slash(elsewhere, "close")
        await other.until_closed(elsewhere)
        await world.sql.execute(
            "update punctual.tickets set opener_id = $1, subject = $2 where guild_id = $3",
            world.amy.id,
            "the other walrus",
            other.guild.id,
        )
        asked = await world.boss.slash(world.lobby, "forget", user_id=f"<@{world.amy.id}>")
        for custom_id in (f"ticket:forget:{world.amy.id}:{world.guild.id}", FORGET_ALL):
            stolen = await press(world, world.eve, world.panel, custom_id.format(world.amy.id))
            assert refusal(stolen).startswith(("You need the permission", "Only the member"))
        far = f"ticket:forget:{world.amy.id}:{other.guild.id}"
        assert "another server" in refusal(await press(world, world.boss, world.panel, far))
        assert await places_of(settings, SECRET)
        told = await press_delete(world, world.boss, asked)
        assert "the member's part" in told
        assert await places_of(settings, SECRET, "tusk") == []
        assert await places_of(settings, "the other walrus")


async def test_what_is_no_user_id_is_refused_with_a_sentence(settings: Settings) -> None:
    async with a_world(settings) as world:
        for typed in ("amy", "1", "9" * 19, "-5", "٣" * 18, "1456074443980800021; drop table"):
            answer = refusal(await world.boss.slash(world.lobby, "forget", user_id=typed))
            assert answer.startswith("That isn't a user id")


async def test_export_me_hands_over_ones_own_and_nobody_elses(settings: Settings) -> None:
    async with a_world(settings) as world:
        await a_closed_ticket(world, by=world.amy)
        own = await export(world, world.amy)
        [ticket] = json.loads(own["data.json"])["your_tickets"]
        assert ticket["subject"] == f"About {SECRET}"
        assert ticket["close_reason"] == REASON
        page = own[f"tickets/{world.guild.id}-ticket-0001/index.html"].decode()
        assert SECRET in page
        assert b"tusk" in own.values()
        others = await export(world, world.eve)
        assert json.loads(others["data.json"])["your_tickets"] == []
        text = b"".join(others.values()).decode()
        assert "I know" in text
        for word in (SECRET, "walrus", "tusk", "moose", "antler", str(world.amy.id)):
            assert word not in text
        nobody = await world.boss.slash(world.lobby, "export-me")
        assert refusal(nobody) == "Nothing is kept of you."


async def export(world: World, member: simcord.MemberActor) -> dict[str, bytes]:
    told = await member.slash(world.lobby, "export-me")
    message = told.response or told.followups[-1]
    assert message.ephemeral
    [attached] = message.attachments
    with zipfile.ZipFile(io.BytesIO(await attached.read())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def test_asking_again_and_again_is_refused_with_a_sentence(settings: Settings) -> None:
    async with a_world(settings) as world:
        answers = [await world.eve.slash(world.lobby, "export-me") for _ in range(6)]
        assert refusal(answers[-2]) == "Nothing is kept of you."
        assert refusal(answers[-1]).startswith("You asked that often. Try again in ")


async def test_a_server_that_the_bot_comes_back_to_in_time_keeps_everything(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        await a_closed_ticket(world, by=world.amy)
        await world.tickets.note_server_left(world.guild.id)
        assert await world.jobs("cleanup-old-tickets")
        await world.restart_bot()
        await world.sql.execute(
            "update punctual.guild_settings set left_at = left_at - interval '31 days'"
        )
        assert str(await world.tickets.cleanup.run()) == "0 transcripts, 0 tickets, 0 servers"
        assert await places_of(settings, SECRET)
        assert (await world.tickets.guild_settings(world.guild.id)).log_channel_id


async def test_the_job_of_the_night_deletes_what_is_too_old(settings: Settings) -> None:
    changed = settings.model_copy(update={"ticket_days": 7})
    async with a_world(changed) as world:
        await a_closed_ticket(world, by=world.amy)
        await world.sql.execute(
            "update punctual.tickets set closed_at = closed_at - interval '8 days'"
        )
        await world.sql.execute("update punctual.cleanup set due_at = now()")
        await world.scheduler.on_touched([("cleanup", 1)])

        async def is_gone() -> bool:
            return not await world.count("tickets")

        await eventually(is_gone)
        await eventually(lambda: not world.tickets.cleanup.is_running)
        assert await places_of(settings, SECRET, "tusk", str(world.amy.id)) == []
        due = await world.sql.fetchval("select due_at - now() from punctual.cleanup")
        assert due.total_seconds() > 60


async def test_a_cleanup_that_hangs_makes_no_ticket_late(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where one job at a time runs."""
    chosen = settings.model_copy(update={"ticket_days": 7, "worker_concurrency": 1})
    async with a_world(chosen) as world:
        old = await a_closed_ticket(world, by=world.amy)
        await world.sql.execute(
            "update punctual.tickets set closed_at = closed_at - interval '8 days'"
        )
        delete, released = TranscriptErasure.delete, asyncio.Event()

        async def hangs(self: TranscriptErasure, guild_id: int, ticket_id: int) -> bool:
            await released.wait()
            return await delete(self, guild_id, ticket_id)

        monkeypatch.setattr(TranscriptErasure, "delete", hangs)
        await world.sql.execute("update punctual.cleanup set due_at = now()")
        await world.scheduler.on_touched([("cleanup", 1)])
        await eventually(lambda: world.tickets.cleanup.is_running)
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="1h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert await world.is_closed(old), "it is not held up at all"
        released.set()
        await eventually(lambda: not world.tickets.cleanup.is_running)
        assert await world.count("tickets") == 1


async def test_a_bot_that_stops_does_not_wait_for_its_cleanup(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings.model_copy(update={"ticket_days": 7})
    async with a_world(chosen) as world:
        await a_closed_ticket(world, by=world.amy)
        await world.sql.execute(
            "update punctual.tickets set closed_at = closed_at - interval '8 days'"
        )

        async def hangs(self: TranscriptErasure, guild_id: int, ticket_id: int) -> bool:
            await asyncio.Event().wait()
            return True

        monkeypatch.setattr(TranscriptErasure, "delete", hangs)
        world.tickets.cleanup.start()
        await world.stop_bot()
        assert not world.tickets.cleanup.is_running
        monkeypatch.undo()
        await world.start_bot()


async def test_what_redis_keeps_of_a_failed_job_is_forgotten_too(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await a_closed_ticket(world, by=world.amy)
        ticket = await world.ticket(channel)
        [queue] = world.scheduler.queues.values()
        for subject_id in (ticket.id, ticket.id + 1):
            request = JobRequest(
                f"auto-close-{subject_id}-1", 1.0, subject_id, {"ticket_id": subject_id}
            )
            await queue.add(world.scheduler.job_types["auto-close"], request)
            job = await queue.job(request.key)
            assert job is not None
            await queue.finish(job, Status.FAILED, error=f"{SECRET} in {subject_id}")
        kept = await places_of(settings, SECRET)
        assert len([place for place in kept if "in redis" in place]) == 2
        asked = await world.amy.slash(world.lobby, "forget-me")
        await press_delete(world, world.amy, asked)
        [left] = [place for place in await places_of(settings, SECRET) if "in redis" in place]
        assert f"auto-close-{ticket.id + 1}-1" in left
