"""A thread in a ticket is a part of the ticket."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.sql import Sql
from tests.waiting import eventually
from tests.wire import Channel, Message, Permission
from tests.wire.channels import modify
from tests.wire.messages import create
from tests.wire.models import ChannelType

THREADS = Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS


async def thread_in(fault_env: FaultEnv, ticket: Channel) -> Channel:
    """The server's owner may do anything."""
    return await fault_env.discord.start_thread(fault_env.discord.owner, ticket, "a thread")


def write(fault_env: FaultEnv, thread: Channel, text: str) -> Message:
    """The opener, whatever the channel's permissions say by now."""
    return create(
        fault_env.discord.world, thread, fault_env.discord.customer.user, {"content": text}
    )


async def test_members_may_open_no_threads_in_a_ticket(fault_env: FaultEnv) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    assert not fault_env.discord.world.permissions(fault_env.discord.customer, ticket) & THREADS


async def test_an_answer_in_a_thread_of_the_ticket_keeps_it_open(
    fault_env: FaultEnv, sql: Sql
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    thread = await thread_in(fault_env, ticket)
    await fault_env.ask(ticket, "1h")
    write(fault_env, thread, "It is still broken")

    async def answered() -> bool:
        return await sql.request_status(ticket.id) == "answered"

    await eventually(answered, 5)


async def test_an_answer_in_a_thread_is_found_if_the_bot_was_down_when_it_came(
    fault_env: FaultEnv, sql: Sql
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    thread = await thread_in(fault_env, ticket)
    await fault_env.ask(ticket, "2s")
    await fault_env.kill()
    write(fault_env, thread, "It is still broken")
    await asyncio.sleep(2.5)
    assert await sql.request_status(ticket.id) == "pending"
    await fault_env.start()

    async def decided() -> bool:
        return await sql.request_status(ticket.id) != "pending"

    await eventually(decided)
    assert await sql.request_status(ticket.id) == "answered"
    assert not ticket.deleted


@pytest.mark.parametrize("kind", ["open", "archived", "private and archived"])
async def test_what_was_written_in_a_thread_is_in_the_transcript(
    fault_env: FaultEnv, kind: str
) -> None:
    world = fault_env.discord.world
    await fault_env.start()
    ticket = await fault_env.open()
    thread = await thread_in(fault_env, ticket)
    if "private" in kind:
        thread.type = ChannelType.PRIVATE_THREAD
        assert thread.thread is not None
        thread.thread.member_ids.add(world.bot.id)
    write(fault_env, thread, "The serial number is 4711")
    if "archived" in kind:
        modify(world, thread, {"archived": True})
    fault_env.discord.begin_slash(fault_env.discord.staff, ticket, "close")
    await fault_env.discord.wait_deleted(ticket)
    (page,) = [
        file.content for post in fault_env.helpdesk.closes_logged() for file in post.attachments
    ]
    assert b"The serial number is 4711" in page
    assert b"In the thread <bdi>a thread</bdi>" in page
