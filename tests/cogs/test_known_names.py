"""What people and places are called, without asking for it more often than needed."""

from __future__ import annotations

import pytest

from cogs.known_names import MAX_NAME, KnownNames, printable
from domains.settings import Settings
from tests.cogs.world import a_world
from tests.waiting import eventually

NOBODY_ID = 424242


async def test_servers_channels_and_members_are_known_by_their_names(settings: Settings) -> None:
    """Who is not there stays a number, and is not asked for again."""
    async with a_world(settings) as world:
        names, guild_id = KnownNames(world.bot), world.guild.id
        assert names.server(guild_id) == world.guild.name
        assert names.servers() == {guild_id: world.guild.name}
        assert names.channel(guild_id, world.lobby.id) == world.lobby.name
        assert names.server(1) is names.channel(guild_id, 1) is names.channel(1, 1) is None
        assert names.member(guild_id, NOBODY_ID) is None

        async def amy_is_known() -> bool:
            return names.member(guild_id, world.amy.id) == world.amy.name

        await eventually(amy_is_known)
        assert names.members_named(world.amy.name.upper(), 5) == [world.amy.id]
        assert names.members_named("nobody", 5) == []
        assert names.member(guild_id, NOBODY_ID) is None
        assert names.waiting == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Sam", "Sam"),
        ("\u202emaS\u2066\u200f", "maS"),
        ("two\nlines\0", "two lines"),
        ("\u200b\u2800", None),
        ("a" + 50 * "\u0301", "a" + 4 * "\u0301"),
        ("x" * 300, "x" * (MAX_NAME - 1) + "…"),
        ("شيماء", "شيماء"),
    ],
)
def test_a_name_is_one_short_line_and_turns_nothing_around(name: str, shown: str | None) -> None:
    assert printable(name) == shown
