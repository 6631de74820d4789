"""`/block`, `/unblock`, `/blocked`: who may, whom, and what the member reads."""

from __future__ import annotations

from typing import Any

import pytest

from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.world import World, a_world
from tests.waiting import eventually

SUPPORT_ONLY = "Only support can do that. If that's you, ask an admin for the support role."


async def blocked(world: World) -> str:
    return reply(await world.sam.slash(world.lobby, "blocked"))


async def test_a_blocked_member_reads_reason_and_end(settings: Settings) -> None:
    async with a_world(settings) as world:
        options: dict[str, Any] = {"for": "2h", "reason": "Not *here*, @everyone"}
        text = reply(await world.sam.slash(world.lobby, "block", member=world.amy, **options))
        assert text.startswith(f"{world.amy.mention} can't open tickets here until <t:")
        assert text.endswith("Tickets they have open stay open.")
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text.startswith("You're blocked from opening tickets in this server until <t:")
        assert text.endswith(r"The reason: Not \*here\*, \@everyone.")
        assert await world.count("tickets") == 0
        await world.open_ticket(world.eve)


async def test_who_is_blocked_while_they_write_the_subject_gets_no_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        shown = await world.amy.click(world.panel, label="Open a ticket")
        await world.sam.slash(world.lobby, "block", member=world.amy)
        text = refusal(await world.amy.submit_modal(shown, {"subject": "late"}))
        assert text == "You're blocked from opening tickets in this server."
        assert await world.count("tickets") == 0
        assert not [name for name in world.guild.channels if name.startswith("ticket-")]


async def test_a_block_holds_after_a_restart_until_its_time_is_up(settings: Settings) -> None:
    """Its timer is a job in Redis as any other, and what it leaves is nothing."""
    async with a_world(settings) as world:
        await world.sam.slash(world.lobby, "block", member=world.amy, **{"for": "1d"})
        assert len(await world.jobs("end-block")) == 1
        await world.restart_bot()
        refusal(await world.ask_for_ticket(world.amy))
        assert world.amy.mention in await blocked(world)
        await world.sql.execute(
            "update punctual.blocks set ends_at = date_trunc('milliseconds', now())"
        )
        await world.open_ticket(world.amy)
        await world.scheduler.reconcile()

        async def is_gone() -> bool:
            return not await world.count("blocks") and not await world.jobs("end-block")

        await eventually(is_gone)
        assert "Nobody is blocked here." in await blocked(world)


async def test_unblocking_removes_the_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.sam.slash(world.lobby, "block", member=world.amy, **{"for": "1d"})
        text = reply(await world.sam.slash(world.lobby, "unblock", member=world.amy))
        assert text == f"{world.amy.mention} can open tickets here again."
        assert await world.jobs("end-block") == []
        await world.open_ticket(world.amy)
        result = await world.sam.slash(world.lobby, "unblock", member=world.amy)
        assert refusal(result) == f"{world.amy.mention} isn't blocked here."


async def test_blocking_again_replaces_end_and_reason(settings: Settings) -> None:
    async with a_world(settings) as world:
        first: dict[str, Any] = {"for": "1d", "reason": "one"}
        await world.sam.slash(world.lobby, "block", member=world.amy, **first)
        (job,) = await world.jobs("end-block")
        result = await world.boss.slash(world.lobby, "block", member=world.amy, reason="two")
        assert "This takes the place of their earlier block." in reply(result)
        assert await world.jobs("end-block") == []
        assert job
        listed = await blocked(world)
        assert listed.startswith("Blocked members: 1\n")
        assert f"until somebody unblocks them · by {world.boss.mention}: two" in listed


@pytest.mark.parametrize(
    ("whom", "sentence"),
    [
        ("sam", "You can't block yourself."),
        ("boss", "You can't block {mention}: they manage this server."),
        (
            "eve",
            "You can't block {mention}: they're support. Take that role from them first.",
        ),
    ],
)
async def test_who_cannot_be_blocked_and_why(settings: Settings, whom: str, sentence: str) -> None:
    async with a_world(settings) as world:
        world.env.backend.add_member_role(world.guild.id, world.eve.id, world.support.id)
        member = getattr(world, whom)
        result = await world.sam.slash(world.lobby, "block", member=member)
        assert refusal(result) == sentence.format(mention=member.mention)
        assert await world.count("blocks") == 0


async def test_a_bot_cannot_be_blocked(settings: Settings) -> None:
    async with a_world(settings) as world:
        bot = world.guild.add_member(world.env.create_user("robot", bot=True))
        result = await world.sam.slash(world.lobby, "block", member=bot)
        assert refusal(result) == "Bots can't open tickets, so there's no need to block one."


@pytest.mark.parametrize(
    ("name", "has_member"), [("block", True), ("unblock", True), ("blocked", False)]
)
async def test_only_support_may(settings: Settings, name: str, has_member: bool) -> None:
    async with a_world(settings) as world:
        options = {"member": world.eve} if has_member else {}
        for member in (world.amy, world.eve):
            assert refusal(await member.slash(world.lobby, name, **options)) == SUPPORT_ONLY
        assert await world.count("blocks") == 0


async def test_a_length_that_is_none_changes_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        result = await world.sam.slash(world.lobby, "block", member=world.amy, **{"for": "soon"})
        assert refusal(result).startswith("A block lasts from 1 minute to 365 days, like")
        assert await world.count("blocks") == 0


async def test_the_length_is_suggested_in_words(settings: Settings) -> None:
    async with a_world(settings) as world:
        choices = await world.sam.autocomplete(world.lobby, "block", "for", "30")
        assert choices[0] == {"name": "1 day 6 hours", "value": "30"}
        nonsense = await world.sam.autocomplete(world.lobby, "block", "for", "soon" * 100)
        assert [choice["value"] for choice in nonsense] == ["1h", "1d", "7d", "30d"]


async def test_the_list_has_pages(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.sql.execute(
            """insert into punctual.blocks (guild_id, member_id, blocked_by_id, reason)
               select $1, n, $2, repeat('*', 255) from generate_series(1, 17) n""",
            world.guild.id,
            world.sam.id,
        )
        first = await blocked(world)
        assert first.startswith("Blocked members: 17\n<@1> ")
        assert "<@15>" in first
        assert "<@16>" not in first
        assert first.endswith("Page 1 of 2; /blocked page: shows another")
        second = reply(await world.sam.slash(world.lobby, "blocked", page=2))
        assert "<@17>" in second
        third = await world.sam.slash(world.lobby, "blocked", page=3)
        assert refusal(third) == "There's no page 3: the last one is 2."
