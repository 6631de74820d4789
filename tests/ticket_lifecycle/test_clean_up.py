"""What is older than it is kept goes, and nothing else; whatever ends the cleanup on its way."""

from __future__ import annotations

import asyncio
import io
import random
import zipfile
from collections.abc import Sequence
from datetime import timedelta

import pytest

from domains.ticket_lifecycle import LifecyclePolicy, Retention
from domains.ticket_lifecycle.models import Ticket
from domains.transcripts.erasure import TranscriptErasure
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed
from tests.waiting import eventually

OTHER_GUILD = 2


def keeping(desk: HelpDesk, transcripts: int = 0, tickets: int = 0, left: int = 0) -> HelpDesk:
    return desk.restarted(LifecyclePolicy(retention=Retention(transcripts, tickets, left)))


async def closed(desk: HelpDesk, days_ago: float, guild_id: int = GUILD_ID) -> Ticket:
    ticket = await desk.open(guild_id=guild_id)
    desk.write(ticket)
    await desk.close(ticket, "Done")
    await desk.database.pool.execute(
        "update punctual.tickets set closed_at = now() - $2::interval where id = $1",
        ticket.id,
        timedelta(days=days_ago),
    )
    return ticket


async def ticket_ids(desk: HelpDesk) -> list[int]:
    records = await desk.database.pool.fetch("select id from punctual.tickets order by id")
    return [record["id"] for record in records]


def has_transcript(desk: HelpDesk, ticket: Ticket) -> bool:
    return desk.transcripts.find(ticket.guild_id, ticket.id) is not None


async def next_cleanup(desk: HelpDesk) -> timedelta | None:
    """How long until it is done, if it is to be done at all."""
    return await desk.database.pool.fetchval("select due_at - now() from punctual.cleanup")


async def test_transcripts_go_when_their_time_is_over_and_tickets_stay(desk: HelpDesk) -> None:
    old, young = await closed(desk, 8), await closed(desk, 6)
    opened = await desk.open()
    done = await keeping(desk, transcripts=7).lifecycle.cleanup.run()
    assert str(done) == "1 transcript, 0 tickets, 0 servers"
    assert [has_transcript(desk, ticket) for ticket in (old, young)] == [False, True]
    assert desk.transcripts_of(old) == []
    assert await ticket_ids(desk) == [old.id, young.id, opened.id]


async def test_tickets_go_with_their_transcripts_and_all_that_hangs_on_them(
    desk: HelpDesk,
) -> None:
    old, young = await closed(desk, 8), await closed(desk, 6)
    done = await keeping(desk, tickets=7).lifecycle.cleanup.run()
    assert str(done) == "0 transcripts, 1 ticket, 0 servers"
    assert await ticket_ids(desk) == [young.id]
    assert desk.transcripts_of(old) == []
    assert has_transcript(desk, young)
    for table in ("close_requests", "ticket_events", "effects", "fired_timers"):
        left = f"select count(*) from punctual.{table} where ticket_id = $1"
        assert not await desk.database.pool.fetchval(left, old.id)


async def test_0_days_is_never(desk: HelpDesk) -> None:
    ticket = await closed(desk, 30_000)
    await desk.database.pool.execute(
        """insert into punctual.guild_settings (guild_id, left_at) values ($1, '2001-01-01')
           on conflict (guild_id) do update set left_at = excluded.left_at""",
        GUILD_ID,
    )
    await keeping(desk).lifecycle.cleanup.run()
    assert await ticket_ids(desk) == [ticket.id]
    assert has_transcript(desk, ticket)


async def test_what_is_open_or_still_closing_is_kept_however_old(desk: HelpDesk) -> None:
    opened, closing = await desk.open(), await desk.open()
    await desk.lifecycle.begin_close(closing.id, STAFF_ID)
    await desk.database.pool.execute(
        "update punctual.tickets set opened_at = '2001-01-01', closed_at = '2001-01-02'"
    )
    await keeping(desk, transcripts=1, tickets=1).lifecycle.cleanup.run()
    assert await ticket_ids(desk) == [opened.id, closing.id]


async def test_the_number_of_a_deleted_ticket_is_not_given_again(desk: HelpDesk) -> None:
    last = await closed(desk, 8)
    await keeping(desk, tickets=7).lifecycle.cleanup.run()
    assert await ticket_ids(desk) == []
    assert (await desk.open()).number == last.number + 1


async def test_a_dry_run_counts_what_a_real_one_deletes_and_deletes_nothing(
    desk: HelpDesk,
) -> None:
    tickets = [await closed(desk, 8) for _ in range(3)]
    gone = await closed(desk, 100, OTHER_GUILD)
    await desk.lifecycle.note_server_left(OTHER_GUILD)
    await desk.database.pool.execute(
        "update punctual.guild_settings set left_at = '2001-01-01' where guild_id = $1", OTHER_GUILD
    )
    cleanup = keeping(desk, tickets=7, left=30).lifecycle.cleanup
    would = await cleanup.run(dry_run=True)
    assert await ticket_ids(desk) == [*(ticket.id for ticket in tickets), gone.id]
    assert all(has_transcript(desk, ticket) for ticket in (*tickets, gone))
    done = await cleanup.run()
    assert (would.servers, would.tickets) == (done.servers, done.tickets + 1) == (1, 4)
    assert await ticket_ids(desk) == []


async def test_the_end_of_a_server_leaves_nothing_of_it(desk: HelpDesk) -> None:
    kept = await closed(desk, 1)
    gone = [await closed(desk, 1, OTHER_GUILD) for _ in range(2)]
    still_open = await desk.open(guild_id=OTHER_GUILD)
    await desk.lifecycle.change_guild_settings(OTHER_GUILD, log_channel_id=5)
    await desk.lifecycle.note_server_left(OTHER_GUILD)
    cleanup = keeping(desk, left=30).lifecycle.cleanup
    await cleanup.run()
    assert await ticket_ids(desk) == [kept.id, *(ticket.id for ticket in gone), still_open.id]
    await desk.database.pool.execute(
        "update punctual.guild_settings set left_at = left_at - interval '31 days'"
    )
    assert str(await cleanup.run()) == "0 transcripts, 0 tickets, 1 server"
    assert await ticket_ids(desk) == [kept.id]
    assert not (desk.transcripts_root / str(OTHER_GUILD)).exists()
    tables = await desk.database.pool.fetch(
        """select table_name from information_schema.columns
           where table_schema = 'punctual' and column_name = 'guild_id'"""
    )
    for table in tables:
        rows = f"select count(*) from punctual.{table['table_name']} where guild_id = $1"
        assert not await desk.database.pool.fetchval(rows, OTHER_GUILD), table["table_name"]


async def test_leaving_twice_does_not_give_more_time_and_coming_back_gives_it_all(
    desk: HelpDesk,
) -> None:
    await closed(desk, 1)
    await desk.lifecycle.note_server_left(GUILD_ID)
    await desk.database.pool.execute(
        "update punctual.guild_settings set left_at = left_at - interval '29 days'"
    )
    await desk.lifecycle.note_server_left(GUILD_ID)
    left = await desk.database.pool.fetchval(
        "select now() - left_at > interval '28 days' from punctual.guild_settings"
    )
    assert left
    assert GUILD_ID not in await desk.lifecycle.known_guilds()
    await desk.lifecycle.note_servers_present([GUILD_ID])
    assert GUILD_ID in await desk.lifecycle.known_guilds()


async def test_a_bot_that_comes_back_in_the_middle_keeps_the_rest(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.ticket_lifecycle.clean_up.BATCH", 1)
    tickets = [await closed(desk, 1) for _ in range(3)]
    await desk.lifecycle.note_server_left(GUILD_ID)
    await desk.database.pool.execute("update punctual.guild_settings set left_at = '2001-01-01'")
    cleanup = keeping(desk, left=30).lifecycle.cleanup
    running = asyncio.create_task(cleanup.run())

    async def has_begun() -> bool:
        return len(await ticket_ids(desk)) < len(tickets)

    await eventually(has_begun)
    await desk.lifecycle.note_servers_present([GUILD_ID])
    assert (await running).servers == 0
    left = await ticket_ids(desk)
    assert left
    assert all(has_transcript(desk, ticket) for ticket in tickets if ticket.id in left)


async def test_a_cleanup_that_was_killed_is_taken_up_where_it_was(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.ticket_lifecycle.clean_up.BATCH", 2)
    tickets = [await closed(desk, 8) for _ in range(5)]
    cleanup = keeping(desk, tickets=7).lifecycle.cleanup
    await cleanup.plan()
    delete, calls = TranscriptErasure.delete, list[int]()

    async def dies(self: TranscriptErasure, guild_id: int, ticket_id: int) -> bool:
        calls.append(ticket_id)
        if len(calls) == 4:
            raise Killed
        return await delete(self, guild_id, ticket_id)

    with monkeypatch.context() as killing:
        killing.setattr(TranscriptErasure, "delete", dies)
        with pytest.raises(Killed):
            await cleanup.run()
    # Two are gone, of the third only the transcript, and the row that would tell is still there.
    assert await ticket_ids(desk) == [ticket.id for ticket in tickets[2:]]
    due = await next_cleanup(desk)
    assert due is not None
    assert due < timedelta(minutes=16)
    await cleanup.run()
    assert await ticket_ids(desk) == []


async def test_what_cannot_be_deleted_stays_and_stops_nothing_else(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [await closed(desk, 8) for _ in range(3)]
    delete = TranscriptErasure.delete

    async def refuses(self: TranscriptErasure, guild_id: int, ticket_id: int) -> bool:
        if ticket_id == tickets[0].id:
            raise PermissionError("not yours")
        return await delete(self, guild_id, ticket_id)

    monkeypatch.setattr(TranscriptErasure, "delete", refuses)
    done = await keeping(desk, tickets=7).lifecycle.cleanup.run()
    assert str(done) == "0 transcripts, 2 tickets, 0 servers; 1 failure"
    assert await ticket_ids(desk) == [tickets[0].id]
    assert has_transcript(desk, tickets[0])


async def wanted(desk: HelpDesk) -> Sequence[int]:
    return [timer.subject_id for timer in await desk.timers_of_kind("cleanup-old-tickets")]


async def test_the_timer_is_there_only_if_there_can_be_something_to_do(desk: HelpDesk) -> None:
    await keeping(desk, left=30).lifecycle.cleanup.plan()
    assert await wanted(desk) == []
    policy_changed = keeping(desk, transcripts=7, left=30)
    await policy_changed.lifecycle.cleanup.plan()
    due = await next_cleanup(desk)
    assert due is not None
    assert timedelta() < due <= timedelta(days=1)
    assert await wanted(desk) == [1]
    await policy_changed.lifecycle.cleanup.run()
    assert await wanted(desk) == [1]
    await keeping(desk).lifecycle.cleanup.run()
    assert await wanted(desk) == []
    await desk.open()
    await keeping(desk, left=30).lifecycle.note_server_left(GUILD_ID)
    assert await wanted(desk) == [1]


async def test_a_wish_to_be_forgotten_outlives_a_crash(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [await closed(desk, 1) for _ in range(2)]

    async def dies(self: TranscriptErasure, guild_id: int, ticket_id: int) -> bool:
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(TranscriptErasure, "delete", dies)
        with pytest.raises(Killed):
            await desk.lifecycle.forgetting.forget(OPENER_ID)
    due = await next_cleanup(desk)
    assert due is not None
    assert due < timedelta(minutes=6)
    restarted = keeping(desk)
    assert str(await restarted.lifecycle.cleanup.run()).endswith("1 member")
    for ticket in tickets:
        forgotten = await desk.ticket(ticket.id)
        assert (forgotten.opener_id, forgotten.subject, forgotten.close_reason) == (0, "", None)
        assert desk.transcripts_of(ticket) == []
        assert (await desk.events(ticket))[-1] == "forgotten"
    assert not await desk.database.pool.fetchval("select count(*) from punctual.erasures")


async def test_two_are_not_forgotten_at_once_and_the_second_is_not_forgotten_about(
    desk: HelpDesk,
) -> None:
    await closed(desk, 1)
    first, second = await asyncio.gather(
        desk.lifecycle.forgetting.forget(OPENER_ID), desk.lifecycle.forgetting.forget(STAFF_ID)
    )
    assert [first, second].count(None) == 1
    await keeping(desk).lifecycle.cleanup.run()
    ids = "select count(*) from punctual.ticket_events where actor_id = any($1::bigint[])"
    assert not await desk.database.pool.fetchval(ids, [OPENER_ID, STAFF_ID])


async def test_an_export_is_never_larger_than_discord_takes_and_names_what_is_left_out(
    desk: HelpDesk,
) -> None:
    tickets = [await closed(desk, 1) for _ in range(5)]
    for ticket in tickets[:4]:
        transcript = desk.transcripts.find(ticket.guild_id, ticket.id)
        assert transcript is not None
        transcript.path.write_bytes(random.Random(ticket.id).randbytes(30_000))
    content = await desk.lifecycle.exporting.export(OPENER_ID, 100_000)
    assert content is not None
    assert len(content) <= 100_000
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pages = [name for name in archive.namelist() if name.endswith("index.html")]
        left_out = archive.read("README.txt").decode().split("ask who runs the bot for them:")[1]
    assert len(pages) == 3
    assert len(left_out.split()) == 2
    assert not set(pages) & set(left_out.split())


DECIDED = {
    # Goes, or becomes nobody, when a member is forgotten:
    "tickets": {"opener_id", "claimed_by_id", "closed_by_id", "subject", "close_reason"}
    | {"attention", "opener_locale"},
    "close_requests": {"requested_by_id", "resolved_by_id", "extended_by_id", "reason"},
    "ticket_events": {"actor_id", "detail", "params"},
    "effects": {"error"},
    "erasures": {"user_id"},
    "guild_settings": set[str](),
    # Stays while the block does:
    "blocks": {"member_id", "reason", "blocked_by_id"},
    # Goes when the ticket is closed:
    "message_changes": {"author_id", "author_name", "content", "mentions"},
}
NOT_ABOUT_MEMBERS = {
    "tickets": {"id", "guild_id", "channel_id", "status", "close_cause", "token"}
    | {"card_message_id"},
    "close_requests": {"id", "ticket_id", "message_id", "status"}
    | {"extension_message_id", "reminder_message_id"},
    "ticket_events": {"id", "ticket_id", "guild_id", "event"},
    "effects": {"id", "guild_id", "ticket_id", "subject_id", "kind", "nonce", "lease_token"},
    "erasures": {"guild_id"},
    "guild_settings": {"guild_id", "category_id", "log_channel_id", "policy", "locale"},
    "blocks": {"id", "guild_id"},
    "message_changes": {"id", "guild_id", "ticket_id", "message_id", "thread_id", "thread_name"}
    | {"kind"},
    "fired_timers": {"subject_id", "ticket_id", "kind"},
    "installation": {"id"},
    "cleanup": {"id"},
    "hourly_figures": {"event"},
    "figures_progress": {"event_id"},
    "schema_migrations": {"name", "checksum"},
}


async def test_of_every_column_that_can_hold_an_id_or_words_it_is_decided_what_becomes_of_it(
    desk: HelpDesk,
) -> None:
    """A new column belongs into store/personal_data.py, docs/privacy.md, and here."""
    columns = await desk.database.pool.fetch(
        """select table_name, column_name from information_schema.columns
           where table_schema = 'punctual'
             and (data_type in ('text', 'jsonb')
                  or data_type = 'bigint' and (column_name = 'id' or column_name like '%\\_id'))"""
    )
    undecided = [
        f"{table}.{column}"
        for table, column in columns
        if column not in DECIDED.get(table, set()) | NOT_ABOUT_MEMBERS.get(table, set())
    ]
    assert undecided == []
