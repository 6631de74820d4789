"""Who may open a ticket: one function that says why not, from what was read.

It is asked before anything is made: once without a lock, so that a refusal costs two small reads
and waits for nobody, and once more in the transaction that writes the ticket.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domains.errors import UserError
from domains.policy import Policy
from domains.ticket_lifecycle.errors import AlreadyOpeningError, TooManyTicketsError
from domains.ticket_lifecycle.models import Block, Standing
from locales import Typed


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What Discord tells of the member who opens a ticket."""

    role_ids: frozenset[int]
    account_created_at: datetime
    joined_at: datetime | None
    """None if Discord does not say: then they have just come."""


class BlockedError(UserError):
    def __init__(self, block: Block) -> None:
        values: dict[str, object] = {}
        if block.ends_at:
            values["until"] = _when(block.ends_at)
        if block.reason:
            values["because"] = Typed(_sentence(block.reason))
        super().__init__("_".join(["admission.blocked", *values]), **values)


class RoleRequiredError(UserError):
    def __init__(self, role_ids: Sequence[int]) -> None:
        roles = _roles(role_ids)
        super().__init__("admission.role_required", roles=roles, count=len(role_ids))


class RoleForbiddenError(UserError):
    def __init__(self, role_ids: Sequence[int]) -> None:
        roles = _roles(role_ids)
        super().__init__("admission.role_forbidden", roles=roles, count=len(role_ids))


class AccountTooNewError(UserError):
    def __init__(self, least: timedelta, old_enough_at: datetime) -> None:
        super().__init__("admission.account_too_new", least=least, when=_when(old_enough_at))


class MembershipTooShortError(UserError):
    def __init__(self, least: timedelta, long_enough_at: datetime) -> None:
        when = _when(long_enough_at)
        super().__init__("admission.membership_too_short", least=least, when=when)


class CooldownError(UserError):
    def __init__(self, ends_at: datetime) -> None:
        super().__init__("admission.cooldown", when=_when(ends_at))


class ServerLimitError(UserError):
    def __init__(self, limit: int) -> None:
        super().__init__("admission.server_full", count=limit)


def why_not(  # noqa: PLR0911  # a table
    policy: Policy, member: MemberFacts | None, block: Block | None, standing: Standing
) -> UserError | None:
    """What will not pass by itself comes before what will. What is not known of a member is not
    held against them."""
    if block is not None:
        return BlockedError(block)
    if member is not None and (refusal := _why_not_them(policy, member, standing.now)):
        return refusal
    if standing.opening:
        return AlreadyOpeningError()
    if (most := policy.max_open_per_member) is not None and standing.unclosed >= most:
        return TooManyTicketsError(most)
    if policy.cooldown and standing.last_opened_at is not None:
        ends_at = standing.last_opened_at + policy.cooldown
        if ends_at > standing.now:
            return CooldownError(ends_at)
    if (most := policy.max_open_total) is not None and standing.unclosed_in_guild >= most:
        return ServerLimitError(most)
    return None


def _why_not_them(policy: Policy, member: MemberFacts, now: datetime) -> UserError | None:
    required = policy.required_roles or ()
    if required and member.role_ids.isdisjoint(required):
        return RoleRequiredError(required)
    if own := [role for role in policy.forbidden_roles or () if role in member.role_ids]:
        return RoleForbiddenError(own)
    if least := policy.min_account_age:
        old_enough_at = member.account_created_at + least
        if old_enough_at > now:
            return AccountTooNewError(least, old_enough_at)
    if least := policy.min_membership:
        long_enough_at = (member.joined_at or now) + least
        if long_enough_at > now:
            return MembershipTooShortError(least, long_enough_at)
    return None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _roles(role_ids: Sequence[int]) -> str:
    return ", ".join(f"<@&{role_id}>" for role_id in role_ids)


def _when(moment: datetime) -> str:
    """As Discord shows a time, each reader their own. Rounded up: not a moment too early."""
    seconds = math.ceil(moment.timestamp())
    return f"<t:{seconds}:F> (<t:{seconds}:R>)"
