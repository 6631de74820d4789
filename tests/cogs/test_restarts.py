"""What must outlive the process: buttons, timers, and what happened while nobody was there."""

from __future__ import annotations

import logging

import pytest

from domains.settings import Settings
from tests.cogs.replies import reply
from tests.cogs.world import World, a_world
from tests.waiting import eventually


async def jobs_become(world: World, jobs: list[str]) -> None:
    async def are_so() -> bool:
        return await world.jobs() == jobs

    await eventually(are_so)


async def test_the_panel_opens_tickets_after_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.restart_bot()
        assert (await world.open_ticket(world.amy)).name == "ticket-0001"


async def test_accept_after_a_restart_closes_the_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.restart_bot()
        await world.amy.click(message, label="Accept & Close")
        await world.until_closed(channel)
        await jobs_become(world, [])


async def test_deny_after_a_restart_cancels_the_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.restart_bot()

        async def the_grace_is_timed() -> bool:
            return len(await world.jobs()) == 1

        await eventually(the_grace_is_timed)
        await world.amy.click(message, label="Deny & Keep Open")
        assert await world.request_statuses(channel) == ["denied"]
        assert await world.jobs() == []


async def test_more_time_after_a_restart_moves_the_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        jobs = await world.jobs()
        await world.restart_bot()
        await world.amy.click(message, label="Need more time")

        async def the_grace_is_timed() -> bool:
            return len(await world.jobs()) == 1

        await eventually(the_grace_is_timed)
        assert await world.jobs() != jobs


async def test_a_timer_outlives_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        jobs = await world.jobs()
        await world.restart_bot()
        assert await world.jobs() == jobs
        await world.pass_deadline(channel)
        await world.until_closed(channel)


async def test_a_deadline_that_passed_while_the_bot_was_down_closes_the_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        await world.sql.execute("update punctual.close_requests set auto_close_at = now()")
        await world.start_bot()
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["expired"]


async def test_what_the_opener_wrote_while_the_bot_was_down_keeps_the_ticket_open(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        world.write_unheard(world.amy, channel, "Wait, it burns again!")
        await world.sql.execute(
            "update punctual.close_requests set auto_close_at = now() - interval '1 minute'"
        )
        await world.start_bot()

        async def answered() -> bool:
            return await world.request_statuses(channel) == ["answered"]

        await eventually(answered)
        await eventually(lambda: "stays open" in world.says(channel)[-1])
        assert world.exists(channel)


@pytest.mark.parametrize("who", ["sam", "eve"])
async def test_what_others_wrote_while_the_bot_was_down_does_not(
    settings: Settings, who: str
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        world.write_unheard(getattr(world, who), channel, "Is anybody there?")
        await world.sql.execute("update punctual.close_requests set auto_close_at = now()")
        await world.start_bot()
        await world.until_closed(channel)


async def test_after_a_long_outage_the_opener_is_given_a_grace_and_told(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        await world.sql.execute(
            "update punctual.heartbeat set seen_at = now() - interval '3 hours'"
        )
        await world.sql.execute(
            "update punctual.close_requests set auto_close_at = now() - interval '1 hour'"
        )
        await world.start_bot()
        assert world.exists(channel)
        assert await world.request_statuses(channel) == ["pending"]
        await eventually(lambda: "I was away" in world.says(channel)[-1])
        assert world.amy.mention in world.says(channel)[-1]

        async def the_grace_is_timed() -> bool:
            return len(await world.jobs()) == 1

        await eventually(the_grace_is_timed)


async def test_a_timer_that_redis_forgot_is_set_again_at_the_start(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        jobs = await world.jobs()
        await world.scheduler.cancel_auto_close(jobs[0])
        assert await world.jobs() == []
        await world.restart_bot()
        await jobs_become(world, jobs)


async def test_a_timer_that_nobody_wants_any_more_is_removed_at_the_start(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        caplog.clear()
        await world.stop_bot()
        await world.sql.execute("update punctual.close_requests set status = 'denied'")
        await world.start_bot()
        await jobs_become(world, [])
        # The close, and the reminder of it; or was Redis taken up before the start came to that?
        await eventually(lambda: "2 orphaned jobs" in caplog.text)
        for line in (
            "✅ Scheduled task system shut down",
            "✅ Scheduled task system initialized",
            "🧹 Starting cleanup of orphaned scheduled jobs...",
        ):
            assert line in caplog.messages
        assert world.exists(channel)


async def test_a_request_that_a_crash_kept_from_being_shown_is_shown_once(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        said = len(world.says(channel))
        for already_posted in (True, False):
            posted = (await world.request(channel)).message_id
            assert posted is not None
            await world.stop_bot()
            if not already_posted:
                world.env.backend.delete_message(channel.id, posted)
            asked = await world.sql.fetchrow(
                "update punctual.close_requests set message_id = null returning id, ticket_id"
            )
            assert asked is not None
            await world.half_done(asked["ticket_id"], "ask", subject_id=asked["id"])
            await world.start_bot()
            await world.until_all_is_told()
            request = await world.request(channel)
            assert len(world.says(channel)) == said
        assert world.message(channel, request.message_id).components


@pytest.mark.parametrize("failing", ["direct message", "deletion"])
async def test_what_a_killed_close_had_done_but_not_recorded_is_not_done_again(
    settings: Settings, failing: str
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        if failing == "deletion":
            world.env.inject_error("DELETE", f"/channels/{channel.id}", status=500)
        else:
            dm_path = f"/channels/{world.amy.user.dm_channel.id}/messages"
            world.env.inject_error("POST", dm_path, status=500)
        await world.sam.slash(channel, "close", reason="Enough")
        assert len(world.says(world.logs)) == 1
        assert world.exists(channel)
        await world.stop_bot()
        await world.sql.execute("delete from punctual.effects")
        await world.half_done(1, "save-transcript", "log-close", "dm-opener", "remove-channel")
        await world.start_bot()
        await world.until_closed(channel)
        assert not world.exists(channel)
        assert len(world.says(world.logs)) == 1
        assert len(world.amy.user.dm_channel.history()) == 1


async def test_settings_of_a_guild_outlive_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.restart_bot()
        text = reply(await world.boss.slash(world.lobby, "setup"))
        assert world.support.mention in text
        assert world.logs.mention in text
