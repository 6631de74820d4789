"""What a person must fix is said in the log channel, the permission named, with a Retry button;
the timer is not switched off, and once it is fixed the close goes on."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept
from tests.wire import Channel, Message

NEEDED = {
    "manage_channels": "Manage Channels",
    "view_channel": "View Channel",
    "read_message_history": "Read Message History",
}


async def asked_for(fault_env: FaultEnv, where: Channel) -> Message:
    return await fault_env.discord.wait_message(where, "needs attention")


async def fix_and_retry(
    fault_env: FaultEnv, where: Channel, permission: str, call: Message
) -> None:
    fault_env.discord.allow(where, permission)
    await fault_env.discord.click(fault_env.discord.staff, call, "Retry")


@pytest.mark.parametrize("permission", NEEDED)
async def test_a_permission_missing_in_the_ticket_is_named_and_retry_closes_it(
    fault_env: FaultEnv, permission: str
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1s")
    fault_env.discord.deny(ticket, permission)
    with fault_env.outage():
        call = await asked_for(fault_env, fault_env.helpdesk.log_channel)
        assert NEEDED[permission] in call.text
        assert call.buttons == ["Retry"]
        assert not ticket.deleted
        assert await fault_env.status(ticket) in ("open", "closing")
        assert await fault_env.request_status(ticket) in ("pending", "expired"), "no timer is off"
        ticket_id = await fault_env.number_of(ticket)
        await bot.logged(f"❌ Failed to auto-close ticket {ticket_id}")
        still = await fault_env.discord.click(fault_env.discord.staff, call, "Retry")
        assert NEEDED[permission] in (await still.replied()).text
        assert len(fault_env.record.attention(await fault_env.token_of(ticket))) == 1, (
            "nobody is told twice"
        )
        await fix_and_retry(fault_env, ticket, permission, call)
    await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)


@pytest.mark.parametrize(
    "permission",
    [
        "send_messages",
        pytest.param("attach_files", marks=pytest.mark.long),
        pytest.param("embed_links", marks=pytest.mark.long),
    ],
)
async def test_a_log_channel_that_cannot_be_written_to_is_said_in_the_ticket(
    fault_env: FaultEnv, permission: str
) -> None:
    """And nothing is deleted before its transcript was posted."""
    await fault_env.start()
    ticket = await fault_env.open()
    log_channel = fault_env.helpdesk.log_channel
    fault_env.discord.deny(log_channel, permission)
    await fault_env.ask(ticket, "1s")
    with fault_env.outage():
        told = log_channel if permission == "attach_files" else ticket
        call = await asked_for(fault_env, told)
        assert "#ticket-log" in call.text
        assert not ticket.deleted
        await fix_and_retry(fault_env, log_channel, permission, call)
    await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)


async def test_a_retry_after_a_restart_works_and_others_may_not_press_it(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1s")
    fault_env.discord.deny(ticket, "manage_channels")
    with fault_env.outage():
        call = await asked_for(fault_env, fault_env.helpdesk.log_channel)
        await fault_env.restart()
        stranger = fault_env.discord.stranger
        fault_env.discord.allow(fault_env.helpdesk.log_channel, "view_channel", who=stranger)
        refusal = await fault_env.discord.click(fault_env.discord.stranger, call, "Retry")
        assert (await refusal.replied()).ephemeral
        assert "support" in refusal.text.lower()
        assert not ticket.deleted
        await fix_and_retry(fault_env, ticket, "manage_channels", call)
    await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)
