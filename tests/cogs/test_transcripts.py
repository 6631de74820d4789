"""What a ticket leaves behind."""

from __future__ import annotations

from domains.settings import Settings
from tests.cogs.world import a_world


async def test_a_page_is_in_the_servers_language_and_tells_how_the_ticket_ended(
    settings: Settings,
) -> None:
    async with a_world(settings, locale="de") as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, "Solved", delay="2h")
        ticket = await world.ticket(channel)
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        pages = settings.data_dir.rglob(f"{ticket.guild_id}/{ticket.id}/index.html")
        page = next(pages).read_text(encoding="utf-8")
    for part in (
        '<html lang="de">',
        "vom Bot, nach",
        "Das Mitglied hat nicht rechtzeitig geantwortet. Es wurde ",
        f'<dt>Angefragt von</dt><dd><bdi class="name" data-user="{world.sam.id}">sam (@sam)',
        f'<bdi class="name" data-user="{world.amy.id}">amy (@amy)',
        '<div data-fact="reason"><dt>Grund</dt><dd dir="auto">Solved</dd></div>',
    ):
        assert part in page, part
    assert page.count('<div class="container colour-') == 2, "the first message and the request"
