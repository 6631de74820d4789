"""`/panel`, its button, and the modal that asks for the subject."""

from __future__ import annotations

from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.discord_errors import describe_missing_permissions
from cogs.embeds import BLUE
from cogs.permissions import member_facts, require_manager, require_own
from cogs.replies import answer_error, reply_ephemeral
from cogs.text import NO_MENTIONS
from domains.errors import UserError
from domains.ticket_lifecycle.open_ticket import MAX_SUBJECT_LENGTH

TITLE = "Support"
TEXT = "Press the button to open a private ticket; only you and the support team can see it."
MODAL_PREFIX = "ticket:subject"
NEEDED = ("view_channel", "send_messages", "embed_links")


class Panel(TicketCog, name="Punctual: panel"):
    @app_commands.command(description=described("panel"))
    @app_commands.describe(
        channel=described("panel.channel"),
        title=described("panel.title"),
        text=described("panel.text"),
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def panel(
        self,
        interaction: discord.Interaction[Any],
        channel: discord.TextChannel | None = None,
        title: app_commands.Range[str, 1, 256] = TITLE,
        text: app_commands.Range[str, 1, 4000] = TEXT,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        target = channel or interaction.channel
        if not isinstance(target, discord.TextChannel):
            raise UserError("The panel can be posted only in a text channel.")
        require_own(interaction, target, "view_channel", "send_messages")
        try:
            await target.send(
                embed=discord.Embed(title=title, description=text, colour=BLUE),
                view=OpenTicketView(),
                allowed_mentions=NO_MENTIONS,
            )
        except discord.Forbidden as error:
            raise UserError(
                f"I cannot post there: {describe_missing_permissions(target, NEEDED)}."
            ) from error
        await reply_ephemeral(interaction, f"The panel is in {target.mention}.")

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """The form for the subject works after any restart, as all buttons do."""
        subject = _submitted_subject(interaction)
        if subject is None:
            return
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
            ticket = await self.tickets.open_ticket(
                guild_id_of(interaction),
                interaction.user.id,
                subject,
                member_facts(interaction.user),
                str(interaction.locale),
            )
            await reply_ephemeral(interaction, f"Your ticket is open: <#{ticket.channel_id}>")
        except Exception as error:
            await answer_error(interaction, error)


class OpenTicketView(discord.ui.View):
    """Registered once at start-up, so that panels work after any restart."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(
        label="Open a ticket", style=discord.ButtonStyle.primary, custom_id="ticket:open"
    )
    async def open_ticket(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        # No work before this: a modal can't follow a defer, and there are three seconds.
        await interaction.response.send_modal(SubjectModal(interaction.id))

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        _item: discord.ui.Item[Any],
    ) -> None:
        await answer_error(interaction, error)


class SubjectModal(discord.ui.Modal, title="Open a ticket"):
    """What is written in it comes to `Panel.on_interaction`. discord.py would keep each form in
    memory until it is sent, and most who look at one never do: it keeps none that is stopped."""

    subject: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="What is it about?",
        placeholder="In one line",
        min_length=1,
        max_length=MAX_SUBJECT_LENGTH,
        custom_id="subject",
    )

    def __init__(self, interaction_id: int) -> None:
        """Each has an id of its own: phones fill in again what was written under the same."""
        super().__init__(custom_id=f"{MODAL_PREFIX}:{interaction_id}")
        self.stop()


def _submitted_subject(interaction: discord.Interaction[Any]) -> str | None:
    """None if it is not our form that was sent."""
    data = cast("dict[str, Any]", interaction.data or {})
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    if not str(data.get("custom_id", "")).startswith(f"{MODAL_PREFIX}:"):
        return None
    rows: list[dict[str, Any]] = data.get("components", [])
    inputs = [each for row in rows for each in row.get("components", [row.get("component", {})])]
    return next(
        (each.get("value", "") for each in inputs if each.get("custom_id") == "subject"), ""
    )
