"""Who may open a ticket: cooldown, limits, roles, ages; and what an attack leaves behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domains.database import Database
from domains.errors import UserError
from domains.policy import Policy
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.admission import (
    AccountTooNewError,
    CooldownError,
    MemberFacts,
    MembershipTooShortError,
    RoleForbiddenError,
    RoleRequiredError,
    ServerLimitError,
    why_not,
)
from domains.ticket_lifecycle.channels import PermissionMissingError
from domains.ticket_lifecycle.errors import (
    AlreadyOpeningError,
    CannotOpenError,
    TooManyTicketsError,
)
from domains.ticket_lifecycle.models import Standing, Ticket
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Moment

COOLDOWN = LifecyclePolicy(open_cooldown=timedelta(seconds=30))
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1_000)
HELPERS, GUESTS = 70, 71


async def time_passes(desk: HelpDesk, seconds: float) -> None:
    await desk.database.pool.execute(
        "update punctual.tickets set opened_at = opened_at - $1::interval",
        timedelta(seconds=seconds),
    )


# --- the cooldown


async def test_the_next_ticket_has_to_wait_and_the_sentence_says_until_when(
    desk: HelpDesk,
) -> None:
    desk = desk.restarted(COOLDOWN)
    first = await desk.open()
    with pytest.raises(CooldownError) as error:
        await desk.open()
    ends_at = int((first.opened_at + timedelta(seconds=30)).timestamp()) + 1
    assert str(error.value) == (
        "You opened a ticket a short while ago. You can open the next one "
        f"<t:{ends_at}:F> (<t:{ends_at}:R>)."
    )
    await time_passes(desk, 29)
    with pytest.raises(CooldownError):
        await desk.open()
    await time_passes(desk, 1)
    assert (await desk.open()).number == 2


async def test_it_counts_from_the_opening_of_a_ticket_that_is_closed_meanwhile(
    desk: HelpDesk,
) -> None:
    desk = desk.restarted(COOLDOWN)
    await desk.close(await desk.open())
    with pytest.raises(CooldownError):
        await desk.restarted(COOLDOWN).open()


async def test_it_is_of_one_member_in_one_server(desk: HelpDesk) -> None:
    desk = desk.restarted(COOLDOWN)
    await desk.open(opener_id=10, guild_id=1)
    await desk.open(opener_id=11, guild_id=1)
    await desk.open(opener_id=10, guild_id=2)
    assert await desk.count_tickets() == 3


async def test_a_server_may_have_another_or_none(desk: HelpDesk) -> None:
    desk = desk.restarted(COOLDOWN)
    await desk.lifecycle.change_policy(GUILD_ID, {"cooldown": timedelta(hours=1)})
    await desk.open()
    await time_passes(desk, 60)
    with pytest.raises(CooldownError):
        await desk.open()
    await desk.lifecycle.change_policy(GUILD_ID, {"cooldown": timedelta(0)})
    await desk.open()
    await desk.lifecycle.change_policy(GUILD_ID, {"cooldown": None})
    with pytest.raises(CooldownError):
        await desk.open()


async def test_a_ticket_whose_channel_could_not_be_made_does_not_count(desk: HelpDesk) -> None:
    desk = desk.restarted(COOLDOWN)
    desk.channels.failures["create"] = [PermissionMissingError(("Manage Channels",))]
    with pytest.raises(CannotOpenError):
        await desk.open()
    assert (await desk.open()).number == 1


@pytest.mark.parametrize("clicks", [2, 20])
async def test_clicks_at_once_open_one_with_a_cooldown_as_without(
    desk: HelpDesk, second_database: Database, clicks: int
) -> None:
    """In two processes, while Discord makes the first one's channel."""
    others_done = asyncio.Event()
    refusals: list[UserError] = []

    async def click(process: HelpDesk) -> Ticket | None:
        try:
            return await process.open()
        except (AlreadyOpeningError, CooldownError) as error:
            refusals.append(error)
            if len(refusals) == clicks - 1:
                others_done.set()
            return None

    desk = desk.restarted(COOLDOWN)
    desk.interruptions.once("create", Moment.BEFORE, others_done.wait)
    other = desk.elsewhere(second_database, COOLDOWN)
    results = await asyncio.gather(*(click((desk, other)[n % 2]) for n in range(clicks)))
    assert len([ticket for ticket in results if ticket is not None]) == 1
    assert len(refusals) == clicks - 1
    assert len(desk.channels.channels) == await desk.count_tickets() == 1


# --- how many in all


async def test_a_server_may_cap_its_open_tickets(desk: HelpDesk) -> None:
    await desk.lifecycle.change_policy(GUILD_ID, {"max_open_total": 2})
    first = await desk.open(opener_id=10)
    await desk.open(opener_id=11)
    with pytest.raises(ServerLimitError) as error:
        await desk.open(opener_id=12)
    assert str(error.value) == (
        "This server has 2 open tickets, as many as it allows. Try again when one of them is "
        "closed."
    )
    await desk.open(opener_id=12, guild_id=2)
    await desk.close(first)
    await desk.open(opener_id=12)


async def test_of_a_crowd_at_the_cap_no_more_than_that_get_in(
    desk: HelpDesk, second_database: Database
) -> None:
    await desk.lifecycle.change_policy(GUILD_ID, {"max_open_total": 3})
    other = desk.elsewhere(second_database)
    results = await asyncio.gather(
        *((desk, other)[n % 2].open(opener_id=100 + n) for n in range(12)), return_exceptions=True
    )
    assert len([result for result in results if isinstance(result, Ticket)]) == 3
    assert len([result for result in results if isinstance(result, ServerLimitError)]) == 9
    assert len(desk.channels.channels) == 3


async def test_a_server_s_own_limit_for_a_member_comes_before_the_operators(
    desk: HelpDesk,
) -> None:
    await desk.lifecycle.change_policy(GUILD_ID, {"max_open_per_member": 1})
    await desk.open()
    with pytest.raises(TooManyTicketsError, match="You already have 1 open ticket here"):
        await desk.open()
    await desk.open(guild_id=2)
    await desk.open(guild_id=2)


# --- roles and ages: a table


def refusal(policy: Policy, member: MemberFacts) -> UserError | None:
    return why_not(policy, member, None, Standing(0, 0, 0, None, NOW))


@pytest.mark.parametrize(
    ("roles", "is_admitted"),
    [((), False), ((GUESTS,), False), ((HELPERS,), True), ((HELPERS, GUESTS), True)],
)
def test_one_of_the_required_roles_is_enough(roles: tuple[int, ...], is_admitted: bool) -> None:
    policy = Policy(required_roles=(HELPERS, 72))
    error = refusal(policy, MemberFacts(frozenset(roles), LONG_AGO, LONG_AGO))
    assert (error is None) is is_admitted
    if error is not None:
        assert isinstance(error, RoleRequiredError)
        assert str(error) == (
            "To open a ticket in this server you need one of these roles: <@&70>, <@&72>."
        )


def test_a_forbidden_role_outweighs_a_required_one_and_only_ones_own_are_named() -> None:
    policy = Policy(required_roles=(HELPERS,), forbidden_roles=(GUESTS, 72))
    error = refusal(policy, MemberFacts(frozenset({HELPERS, GUESTS}), LONG_AGO, LONG_AGO))
    assert isinstance(error, RoleForbiddenError)
    assert str(error) == "With the role <@&71> you can't open a ticket in this server."
    assert refusal(policy, MemberFacts(frozenset({HELPERS}), LONG_AGO, LONG_AGO)) is None


@pytest.mark.parametrize(
    ("policy", "member", "kind"),
    [
        (
            Policy(min_account_age=timedelta(days=7)),
            MemberFacts(frozenset(), NOW - timedelta(days=6), LONG_AGO),
            AccountTooNewError,
        ),
        (
            Policy(min_membership=timedelta(days=7)),
            MemberFacts(frozenset(), LONG_AGO, NOW - timedelta(days=6)),
            MembershipTooShortError,
        ),
    ],
)
def test_who_is_too_new_reads_from_when_on(
    policy: Policy, member: MemberFacts, kind: type[UserError]
) -> None:
    error = refusal(policy, member)
    tomorrow = int((NOW + timedelta(days=1)).timestamp())
    assert isinstance(error, kind)
    assert f"try again <t:{tomorrow}:F> (<t:{tomorrow}:R>)." in str(error)
    assert why_not(policy, member, None, Standing(0, 0, 0, None, NOW + timedelta(days=1))) is None


def test_whose_joining_discord_does_not_tell_has_just_come() -> None:
    unknown = MemberFacts(frozenset(), LONG_AGO, None)
    error = refusal(Policy(min_membership=timedelta(days=1)), unknown)
    assert isinstance(error, MembershipTooShortError)


async def test_a_rule_holds_for_an_opening_and_leaves_nothing_behind(desk: HelpDesk) -> None:
    await desk.lifecycle.change_policy(GUILD_ID, {"required_roles": (HELPERS,)})
    guest = MemberFacts(frozenset({GUESTS}), LONG_AGO, LONG_AGO)
    with pytest.raises(RoleRequiredError):
        await desk.lifecycle.open_ticket(GUILD_ID, OPENER_ID, "x", guest)
    assert await desk.count_tickets() == 0
    assert desk.interruptions.calls == []


# --- the attack


async def test_five_hundred_attempts_of_one_member_leave_one_ticket_one_post_and_one_dm(
    desk: HelpDesk,
) -> None:
    """As fast as they can, closing what they get; and nobody else waits behind them."""
    desk = desk.restarted(COOLDOWN)
    refusals: set[type[UserError]] = set()

    async def open_and_close() -> None:
        try:
            ticket = await desk.open()
        except UserError as error:
            refusals.add(type(error))
        else:
            await desk.lifecycle.close_ticket(ticket.id, OPENER_ID)
            await desk.deliver()

    await open_and_close()
    for _ in range(24):
        await asyncio.gather(*(open_and_close() for _ in range(10)))
    for _ in range(259):
        await open_and_close()
    assert refusals == {CooldownError, AlreadyOpeningError}
    assert await desk.count_tickets() == 1
    assert len(desk.channels.welcomed) == len(desk.channels.logged) == len(desk.channels.dms) == 1
    assert desk.interruptions.calls.count("create") == 1


async def test_who_is_refused_waits_for_no_lock(desk: HelpDesk, second_database: Database) -> None:
    desk = desk.restarted(COOLDOWN)
    await desk.open()
    async with second_database.transaction() as holding:
        await holding.connection.execute(
            "select from punctual.guild_settings where guild_id = $1 for update", GUILD_ID
        )
        async with asyncio.timeout(10):
            with pytest.raises(CooldownError):
                await desk.open()


async def test_staff_s_own_tickets_wait_like_everybody_s(desk: HelpDesk) -> None:
    desk = desk.restarted(COOLDOWN)
    await desk.open(opener_id=STAFF_ID)
    with pytest.raises(CooldownError):
        await desk.open(opener_id=STAFF_ID)
