"""What a person must mend is said in the log channel, the permission named, with a Retry button;
the timer is not switched off, and once it is mended the close goes on."""

from __future__ import annotations

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.properties import assert_kept
from tests.wire import Channel, Message

NEEDED = {
    "manage_channels": "Manage Channels",
    "view_channel": "View Channel",
    "read_message_history": "Read Message History",
}


async def asked_for(lab: Laboratory, where: Channel) -> Message:
    return await lab.discord.wait_message(where, "needs attention")


async def mend_and_retry(lab: Laboratory, where: Channel, permission: str, call: Message) -> None:
    lab.discord.allow(where, permission)
    await lab.discord.click(lab.discord.staff, call, "Retry")


@pytest.mark.parametrize("permission", NEEDED)
async def test_a_permission_missing_in_the_ticket_is_named_and_retry_closes_it(
    lab: Laboratory, permission: str
) -> None:
    bot = await lab.start()
    ticket = await lab.open()
    await lab.ask(ticket, "1s")
    lab.discord.deny(ticket, permission)
    with lab.outage():
        call = await asked_for(lab, lab.helpdesk.log_channel)
        assert NEEDED[permission] in call.text
        assert call.buttons == ["Retry"]
        assert not ticket.deleted
        assert await lab.status(ticket) in ("open", "closing")
        assert await lab.request_status(ticket) in ("pending", "expired"), "no timer is off"
        ticket_id = await lab.number_of(ticket)
        await bot.logged(f"❌ Failed to auto-close ticket {ticket_id}")
        still = await lab.discord.click(lab.discord.staff, call, "Retry")
        assert NEEDED[permission] in (await still.replied()).text
        assert len(lab.record.attention(ticket_id)) == 1, "nobody is told twice"
        await mend_and_retry(lab, ticket, permission, call)
    await lab.discord.wait_deleted(ticket)
    await assert_kept(lab)


@pytest.mark.parametrize(
    "permission",
    [
        "send_messages",
        pytest.param("attach_files", marks=pytest.mark.long),
        pytest.param("embed_links", marks=pytest.mark.long),
    ],
)
async def test_a_log_channel_that_cannot_be_written_to_is_said_in_the_ticket(
    lab: Laboratory, permission: str
) -> None:
    """And nothing is deleted before its transcript was posted."""
    await lab.start()
    ticket = await lab.open()
    log_channel = lab.helpdesk.log_channel
    lab.discord.deny(log_channel, permission)
    await lab.ask(ticket, "1s")
    with lab.outage():
        told = log_channel if permission == "attach_files" else ticket
        call = await asked_for(lab, told)
        assert "#ticket-log" in call.text
        assert not ticket.deleted
        await mend_and_retry(lab, log_channel, permission, call)
    await lab.discord.wait_deleted(ticket)
    await assert_kept(lab)


async def test_a_retry_after_a_restart_works_and_others_may_not_press_it(lab: Laboratory) -> None:
    await lab.start()
    ticket = await lab.open()
    await lab.ask(ticket, "1s")
    lab.discord.deny(ticket, "manage_channels")
    with lab.outage():
        call = await asked_for(lab, lab.helpdesk.log_channel)
        await lab.restart()
        refusal = await lab.discord.click(lab.discord.stranger, call, "Retry")
        assert (await refusal.replied()).ephemeral
        assert "support" in refusal.text.lower()
        assert not ticket.deleted
        await mend_and_retry(lab, ticket, "manage_channels", call)
    await lab.discord.wait_deleted(ticket)
    await assert_kept(lab)
