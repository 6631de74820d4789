"""`/limits`: what a server sets about who may open tickets, and that it holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domains.policy import Policy
from domains.policy import settings as all_settings
from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.test_permissions import NEEDS_MANAGE_SERVER, let_everybody_run
from tests.cogs.world import World, a_world


async def policy(world: World) -> Policy:
    return (await world.tickets.guild_settings(world.guild.id)).policy


async def set_limits(world: World, **options: Any) -> str:
    return reply(await world.boss.slash(world.lobby, "limits", **options))


async def is_refused(world: World) -> str:
    """What amy reads."""
    return refusal(await world.ask_for_ticket(world.amy))


async def test_without_options_it_shows_all_that_holds_and_where_it_comes_from(
    settings: Settings,
) -> None:
    settings = settings.model_copy(update={"open_cooldown": 30})
    async with a_world(settings) as world:
        text = await set_limits(world)
        for each in all_settings():
            assert str(each.label) in text
            assert str(each.explanation) in text
        assert "**30 seconds** (default)" in text
        assert "**5** (default)" in text
        assert "**no limit** (default)" in text
        assert await policy(world) == Policy()


async def test_it_sets_what_is_named_and_shows_it(settings: Settings) -> None:
    async with a_world(settings) as world:
        verified, muted = (world.guild.create_role(name) for name in ("Verified", "Muted"))
        await set_limits(world, max_open_total=40, cooldown="1h30m")
        text = await set_limits(
            world,
            max_open_per_member=2,
            required_roles=f"{verified.mention}, {verified.mention}",
            forbidden_roles=muted.mention,
            min_account_age="7 days",
            min_membership="12",
        )
        assert await policy(world) == Policy(
            max_open_total=40,
            max_open_per_member=2,
            cooldown=timedelta(minutes=90),
            required_roles=(verified.id,),
            forbidden_roles=(muted.id,),
            min_account_age=timedelta(days=7),
            min_membership=timedelta(hours=12),
        )
        for words in ("40", "1 hour 30 minutes", verified.mention, muted.mention, "12 hours"):
            assert f"**{words}** (set here)" in text


async def test_what_was_set_can_be_reset_one_by_one_or_all_at_once(settings: Settings) -> None:
    async with a_world(settings) as world:
        await set_limits(world, max_open_total=40, max_open_per_member=2, cooldown="0")
        assert (await policy(world)).cooldown == timedelta(0)
        await set_limits(world, reset="cooldown")
        assert await policy(world) == Policy(max_open_total=40, max_open_per_member=2)
        await set_limits(world, reset="all", max_open_total=9)
        assert await policy(world) == Policy(max_open_total=9)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cooldown": "soon"}, "Cooldown is at most 30 days, like `30s`"),
        ({"cooldown": "31d"}, "Cooldown is at most 30 days, like `30s`"),
        ({"cooldown": " "}, "Cooldown is at most 30 days, like `30s`"),
        ({"min_account_age": "9999999"}, "Min account age is at most 3650 days, like `30s`"),
        ({"required_roles": "Verified"}, "Required roles takes mentions of this server's roles"),
        ({"required_roles": "<@&{support}> none"}, "Required roles takes mentions of"),
        ({"forbidden_roles": "<@&123>"}, "Forbidden roles takes mentions of this server's roles"),
        ({"forbidden_roles": "<@&{guild}>"}, "Forbidden roles takes mentions of this server's"),
        (
            {"required_roles": "<@&{support}>", "forbidden_roles": "<@&{support}>"},
            "A role can't be both required and forbidden.",
        ),
    ],
    ids=str,
)
async def test_bad_input_is_answered_with_a_sentence_and_changes_nothing(
    settings: Settings, options: dict[str, str], sentence: str
) -> None:
    async with a_world(settings) as world:
        await set_limits(world, max_open_total=40)
        ids = {"support": world.support.id, "guild": world.guild.id}
        typed: dict[str, Any] = {name: text.format(**ids) for name, text in options.items()}
        result = await world.boss.slash(world.lobby, "limits", max_open_per_member=1, **typed)
        assert refusal(result).startswith(sentence)
        assert await policy(world) == Policy(max_open_total=40)


async def test_a_member_without_a_required_role_reads_which(settings: Settings) -> None:
    async with a_world(settings) as world:
        verified = world.guild.create_role("Verified")
        await set_limits(world, required_roles=verified.mention)
        assert await is_refused(world) == (
            f"To open a ticket in this server you need the role {verified.mention}."
        )
        world.env.backend.add_member_role(world.guild.id, world.amy.id, verified.id)
        await world.open_ticket(world.amy)
        await set_limits(world, required_roles="none", forbidden_roles=verified.mention)
        assert await is_refused(world) == (
            f"With the role {verified.mention} you can't open a ticket in this server."
        )


@pytest.mark.parametrize("name", ["min_account_age", "min_membership"])
async def test_who_is_too_new_reads_from_when_on(settings: Settings, name: str) -> None:
    async with a_world(settings) as world:
        await set_limits(world, **{name: "3650d"})
        text = await is_refused(world)
        assert "3650 days" in text
        assert "try again <t:" in text
        await set_limits(world, **{name: "0"})
        await world.open_ticket(world.amy)


async def test_a_server_that_is_full_says_so_and_makes_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        await set_limits(world, max_open_total=1)
        await world.open_ticket(world.eve)
        assert (await is_refused(world)).startswith("This server has 1 open ticket, as many as")
        assert await world.count("tickets") == 1


async def test_it_needs_manage_server_even_where_an_admin_lets_everybody_run_it(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        let_everybody_run(world, "limits")
        for member in (world.eve, world.sam):
            result = await member.slash(world.lobby, "limits", cooldown="0")
            assert refusal(result) == NEEDS_MANAGE_SERVER
        assert await policy(world) == Policy()


async def test_a_duration_is_suggested_in_words(settings: Settings) -> None:
    async with a_world(settings) as world:
        choices = await world.boss.autocomplete(world.lobby, "limits", "cooldown", "30")
        assert choices == [{"name": "1 day 6 hours", "value": "30"}]


async def test_the_doctor_says_when_nobody_can_have_a_required_role_any_more(
    settings: Settings,
) -> None:
    """Until then nobody gets in: a deleted role opens no door."""
    sentence = "Nobody can open a ticket: the roles that members need for it were deleted"
    async with a_world(settings) as world:
        verified = world.guild.create_role("Verified")
        await set_limits(world, required_roles=verified.mention)
        assert sentence not in reply(await world.boss.slash(world.lobby, "doctor"))
        world.env.backend.delete_role(world.guild.id, verified.id)
        assert sentence in reply(await world.boss.slash(world.lobby, "doctor"))
        assert "you need the role" in await is_refused(world)
