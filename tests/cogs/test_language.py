"""`/language`: what a server's log channel and support read."""

from __future__ import annotations

from cogs.language import of_server, own_name
from domains.settings import Settings
from domains.ticket_lifecycle.models import GuildSettings
from tests.cogs.replies import reply
from tests.cogs.world import a_world

CONTEXT = object()


async def test_a_server_has_the_language_that_was_set_or_the_one_it_has_in_discord(
    settings: Settings,
) -> None:
    async with a_world(settings, locale="de") as world:
        boss, server = world.boss, world.bot.get_guild(world.guild.id)
        before = await world.tickets.guild_settings(world.guild.id)
        assert of_server(before, server) == "de"
        assert "Deutsch, as this server is set in Discord" in reply(
            await boss.slash(world.lobby, "setup")
        )
        answer = reply(await boss.slash(world.lobby, "language", language="en"))
        assert answer.startswith("This server's language is now English.")
        chosen = await world.tickets.guild_settings(world.guild.id)
        assert of_server(chosen, server) == "en"
        assert "Language: English; `/language`" in reply(await boss.slash(world.lobby, "setup"))
        answer = reply(await boss.slash(world.lobby, "language", language="discord"))
        assert "Deutsch" in answer
        assert await world.tickets.guild_settings(world.guild.id) == before


def test_a_language_that_is_no_longer_there_is_english() -> None:
    assert of_server(GuildSettings(1, locale="xx"), None) == "en"
    assert of_server(GuildSettings(1), None) == "en"
    assert [own_name(locale) for locale in ("en", "de")] == ["English", "Deutsch"]
