"""The button of the direct message after a close: another ticket in the same server."""

from __future__ import annotations

from typing import Any

import discord

from cogs.buttons.id_button import SNOWFLAKE, IdButton
from cogs.opening import SubjectForm
from domains.ticket_lifecycle import TicketLifecycle


class OpenAnotherButton(IdButton, template=rf"ticket:open:{SNOWFLAKE}"):
    """Its id is the server's: a direct message belongs to none."""

    PREFIX = "ticket:open"
    LABEL = "buttons.open_another"
    STYLE = discord.ButtonStyle.primary

    async def press(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,  # noqa: ARG002  # the form comes first
    ) -> None:
        await interaction.response.send_modal(SubjectForm(interaction, self.id_))
