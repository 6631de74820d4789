"""Who may do what. Checked here in every handler: Discord's own command permissions can be
changed by any admin, and buttons have none."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from cogs.discord_errors import permission_codes
from cogs.replies import Interaction
from domains.errors import UserError
from domains.formatting import permission_texts
from domains.ticket_lifecycle.admission import MemberFacts
from domains.ticket_lifecycle.models import GuildSettings, Ticket


class NotSupportError(UserError):
    def __init__(self, *, in_ticket: bool = False) -> None:
        super().__init__("errors.only_support_in_ticket" if in_ticket else "errors.only_support")


class NotAManagerError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.need_manage_server")


class NotYoursError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.not_yours")


class NotThereYourselfError(UserError):
    """Else the bot would be a way to write and look where one may not oneself."""

    def __init__(self, place: discord.abc.GuildChannel, missing: Sequence[str]) -> None:
        super().__init__(
            "errors.not_there_yourself",
            permissions=permission_texts(permission_codes(place, missing)),
            place=place.mention,
            count=len(missing),
        )


def is_manager(interaction: Interaction) -> bool:
    return interaction.permissions.manage_guild or interaction.permissions.administrator


def is_support(interaction: Interaction, guild: GuildSettings) -> bool:
    """A member with a support role, or one who manages the server."""
    user = interaction.user
    roles = {role.id for role in user.roles} if isinstance(user, discord.Member) else set[int]()
    return is_manager(interaction) or not roles.isdisjoint(guild.support_role_ids)


def member_facts(user: discord.User | discord.Member) -> MemberFacts | None:
    """None for somebody whom Discord does not show as a member of the server."""
    if not isinstance(user, discord.Member):
        return None
    return MemberFacts(
        role_ids=frozenset(role.id for role in user.roles),
        account_created_at=user.created_at,
        joined_at=user.joined_at,
    )


def require_manager(interaction: Interaction) -> None:
    if not is_manager(interaction):
        raise NotAManagerError


def require_own(
    interaction: Interaction, place: discord.abc.GuildChannel | None, *permissions: str
) -> None:
    """The caller's own permissions in a channel that the bot is to use for him."""
    if place is None or not isinstance(interaction.user, discord.Member):
        return
    own = place.permissions_for(interaction.user)
    missing = [name for name in permissions if not getattr(own, name)]
    if missing:
        raise NotThereYourselfError(place, missing)


def require_support(
    interaction: Interaction, guild: GuildSettings, ticket: Ticket | None = None
) -> None:
    """With the `ticket` in which it was asked, the refusal tells a member what they can do."""
    if not is_support(interaction, guild):
        raise NotSupportError(in_ticket=ticket is not None)


def require_opener_or_support(
    interaction: Interaction, guild: GuildSettings, ticket: Ticket
) -> None:
    if interaction.user.id != ticket.opener_id and not is_support(interaction, guild):
        raise NotYoursError
