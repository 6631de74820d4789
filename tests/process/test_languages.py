"""Each reads their own language, on a Discord that says who has which."""

from __future__ import annotations

from tests.process.bot_process import running_bot
from tests.process.helpdesk import Helpdesk
from tests.wire import Discord, Interaction, Message


async def test_a_german_member_and_an_english_server_each_read_their_own(
    discord: Discord, helpdesk: Helpdesk, environment: dict[str, str]
) -> None:
    amy, sam = discord.customer, discord.staff
    amy.user.locale = "de"
    async with running_bot(discord, environment):
        panel = await helpdesk.set_up()
        assert panel.buttons == ["Open a ticket"], "the server's"
        opened = await open_ticket(discord, panel)
        assert opened.text.startswith("Dein Ticket ist offen: ")
        [ticket] = helpdesk.tickets()
        first = await discord.wait_message(ticket, "der Support antwortet dir hier")
        assert "Schließen" in first.buttons
        refused = await discord.slash(amy, ticket, "closerequest")
        assert refused.text.startswith("Das kann nur der Support.")
        asked = await discord.slash(sam, ticket, "closerequest", close_delay="2h")
        assert asked.text.startswith("Asked. The ticket closes ")
        request = await discord.wait_message(ticket, "Schreib hier")
        assert "Annehmen & schließen" in request.buttons
        offered = await discord.autocomplete(amy, ticket, "closerequest", close_delay="30")
        assert offered[0].name.startswith("30 Stunden: ")
        await discord.click(amy, request, "Annehmen & schließen")
        await discord.wait_deleted(ticket)
    [logged] = helpdesk.closes_logged()
    assert "Opened by" in logged.text
    [told] = helpdesk.dms()
    assert "wurde geschlossen" in told.text


async def open_ticket(discord: Discord, panel: Message) -> Interaction:
    form = await discord.click(discord.customer, panel, "Open a ticket")
    assert form.modal is not None
    assert form.modal["title"] == "Ticket öffnen"
    return await discord.submit_modal(discord.customer, form, {"subject": "Es brennt"})
