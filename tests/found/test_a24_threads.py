"""A thread in a ticket is a part of the ticket."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.laboratory import Laboratory
from tests.found.sql2 import Sql
from tests.waiting import eventually
from tests.wire import Channel, Message, Permission
from tests.wire.channels import modify
from tests.wire.messages import create

THREADS = Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS


async def thread_in(lab: Laboratory, ticket: Channel) -> Channel:
    """The server's owner may do anything."""
    return await lab.discord.start_thread(lab.discord.owner, ticket, "a thread")


def write(lab: Laboratory, thread: Channel, text: str) -> Message:
    """The opener, whatever the channel's permissions say by now."""
    return create(lab.discord.world, thread, lab.discord.customer.user, {"content": text})


@pytest.mark.xfail(strict=True, reason="A24: nothing is said of threads in a ticket's permissions")
async def test_members_may_open_no_threads_in_a_ticket(lab: Laboratory) -> None:
    await lab.start()
    ticket = await lab.open()
    assert not lab.discord.world.permissions(lab.discord.customer, ticket) & THREADS


@pytest.mark.xfail(strict=True, reason="A24: a thread is another channel, and so no ticket's")
async def test_an_answer_in_a_thread_of_the_ticket_keeps_it_open(lab: Laboratory, sql: Sql) -> None:
    await lab.start()
    ticket = await lab.open()
    thread = await thread_in(lab, ticket)
    await lab.ask(ticket, "1h")
    write(lab, thread, "It is still broken")

    async def answered() -> bool:
        return await sql.request_status(ticket.id) == "answered"

    await eventually(answered, 5)


@pytest.mark.xfail(strict=True, reason="A24: only the channel itself is read")
async def test_an_answer_in_a_thread_is_found_if_the_bot_was_down_when_it_came(
    lab: Laboratory, sql: Sql
) -> None:
    await lab.start()
    ticket = await lab.open()
    thread = await thread_in(lab, ticket)
    await lab.ask(ticket, "2s")
    await lab.kill()
    write(lab, thread, "It is still broken")
    await asyncio.sleep(2.5)
    assert await sql.request_status(ticket.id) == "pending"
    await lab.start()

    async def decided() -> bool:
        return await sql.request_status(ticket.id) != "pending"

    await eventually(decided)
    assert await sql.request_status(ticket.id) == "answered"
    assert not ticket.deleted


@pytest.mark.xfail(strict=True, reason="A24: the thread is deleted with the channel, unread")
@pytest.mark.parametrize("archived", [False, True], ids=["open", "archived"])
async def test_what_was_written_in_a_thread_is_in_the_transcript(
    lab: Laboratory, archived: bool
) -> None:
    await lab.start()
    ticket = await lab.open()
    thread = await thread_in(lab, ticket)
    write(lab, thread, "The serial number is 4711")
    if archived:
        modify(lab.discord.world, thread, {"archived": True})
    lab.discord.begin_slash(lab.discord.staff, ticket, "close")
    await lab.discord.wait_deleted(ticket)
    pages = [file.content for post in lab.helpdesk.closes_logged() for file in post.attachments]
    assert pages
    assert any(b"The serial number is 4711" in page for page in pages)
