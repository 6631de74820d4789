"""What people write may be anything, however long, and comes out as text wherever it comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from tests.process.bot_process import running_bot, start_bot
from tests.process.helpdesk import Helpdesk
from tests.security.forgery import answer, command, submit
from tests.transcripts.inspection import assert_harmless
from tests.waiting import eventually
from tests.wire import Discord, File

Environment = Mapping[str, str]
SCRIPT = "<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
HOSTILE_TEXTS = [
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "[x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "</title></style><iframe src=https://evil.example>",
    "@everyone @here <@&1> <@1>",
    "{{ 7 * 7 }} ${7*7} %s %(x)s {0}",
    "\u202egnp.exe \u2066x\u2069 \u200b",
    "```\n```\n~~~ || || ** __ > # -",
]
HOSTILE_NAMES = [
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/cron.d/evil",
    "page.html",
    "page.htm.svg",
    "index.html",
    "manifest.json",
    "CON",
    "a" * 300 + ".txt",
    f"{SCRIPT}.png",
    "x\u202egnp.exe",
    ".hidden",
]


async def one(environment: Environment, query: str) -> object:
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_hostile_texts_names_and_files_are_harmless_all_the_way_to_the_transcript(
    discord: Discord, helpdesk: Helpdesk, environment: Environment, tmp_path: Path
) -> None:
    discord.guild.name = f"Guild {SCRIPT}"
    discord.customer.user.name = f"alice{SCRIPT}"
    discord.staff.user.name = '"onmouseover="alert(1)'
    async with running_bot(discord, environment) as bot:
        form = await discord.click(discord.customer, await helpdesk.set_up(), "Open a ticket")
        await answer(submit(discord, discord.customer, form, f"{SCRIPT}@everyone"))
        [ticket] = helpdesk.tickets()
        for text in HOSTILE_TEXTS:
            await discord.say(discord.customer, ticket, text)
        files = [File(name, SVG) for name in HOSTILE_NAMES]
        for start in range(0, len(files), 6):
            await discord.say(discord.customer, ticket, "see", files[start : start + 6])
        reason = f"{SCRIPT} @everyone [x](javascript:alert(1))"
        request = await helpdesk.ask(ticket, close_delay="1h", reason=reason)
        assert request.pings.users == (discord.customer.user,)
        assert not request.pings.everyone
        await discord.slash(discord.staff, ticket, "close", reason=reason)
        await discord.wait_deleted(ticket)
        await discord.until(helpdesk.dms, "the message to the opener")
        [closed] = helpdesk.closes_logged()
        assert closed.pings.users == closed.pings.roles == ()
        assert not closed.pings.everyone
        [page, *attached] = closed.attachments
        html = page.content.decode()
        metas = assert_harmless(html).named("meta")
        [policy] = [each["content"] for each in metas if "http-equiv" in each]
        assert "default-src 'none'" in policy
        assert "alert(1)" in html, "it is shown, as text"
        posted = {attachment.filename for attachment in attached}
        assert not any("/" in name or "\\" in name for name in posted)
        assert "Traceback" not in bot.log
    assert_kept_in_its_place(tmp_path, html)


def assert_kept_in_its_place(data_dir: Path, html: str) -> None:
    transcripts = data_dir / "transcripts"
    written = [path for path in data_dir.rglob("*") if path.is_file()]
    assert all(path.resolve().is_relative_to(transcripts) for path in written)
    [kept] = transcripts.glob("*/1/index.html")
    assert kept.read_text(encoding="utf-8") == html
    # One with a slash in its name Discord would have renamed; here it cannot be downloaded.
    downloadable = [name for name in HOSTILE_NAMES if "/" not in name]
    assert len(list(kept.parent.glob("attachments/*"))) == len(downloadable)


SUBJECTS = {
    "long": "x" * 4_000,
    "lines": "y\n" * 2_000,
    "nul": "nothing: \0.",
    "half a pair": "half a pair: \ud800.",
    "wide": "𝕏" * 4_000,
    "piled up": "e\u0301" + "\u0336" * 4_000,
}
BLANK_SUBJECTS = {
    "invisible": "\u200b\u2066\u202e",
    "empty": "",
    "nothing but a zero byte": "\0",
    "half a pair alone": "\ud800",
}


async def test_a_form_with_any_subject_that_can_be_seen_opens_a_ticket(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    environment = {**environment, "MAX_OPEN_TICKETS": "50", "OPEN_COOLDOWN": "0"}
    async with running_bot(discord, environment) as bot:
        panel = await helpdesk.set_up()
        for name, subject in SUBJECTS.items():
            form = await discord.click(discord.customer, panel, "Open a ticket")
            text = await answer(submit(discord, discord.customer, form, subject))
            assert "Your ticket is open" in text, name
        for name, subject in BLANK_SUBJECTS.items():
            form = await discord.click(discord.customer, panel, "Open a ticket")
            text = await answer(submit(discord, discord.customer, form, subject))
            assert "what it's about" in text, name
        assert await one(environment, "select count(*) from punctual.tickets") == len(SUBJECTS)
        assert await one(environment, "select max(length(subject)) from punctual.tickets") == 200
        assert "Unexpected error" not in bot.log


async def test_options_longer_than_discord_allows_are_cut_or_refused(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        staff = discord.staff
        for options in (
            {"reason": "x" * 6_000},
            {"reason": "nothing: \0."},
            {"reason": "half a pair: \ud800."},
            {"reason": "ok", "close_delay": "9" * 6_000},
            {"reason": "ok", "close_delay": "1" + "h1m" * 2_000},
            {"reason": "ok", "close_delay": "1e400"},
            {"reason": "ok", "close_delay": "nan"},
            {"reason": "ok", "close_delay": "-5h"},
            {"reason": "ok", "close_delay": "١h"},
        ):
            text = await answer(command(discord, staff, ticket, "closerequest", **options))
            assert "Something went wrong" not in text, (options, text)
        longest = await one(
            environment, "select coalesce(max(length(reason)), 0) from punctual.close_requests"
        )
        assert isinstance(longest, int)
        assert longest <= 255
        assert "Unexpected error" not in bot.log
        assert "Traceback" not in bot.log


async def test_secrets_are_in_no_log_and_no_message(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    """At the chattiest level, and while everything that can fail does."""
    password = environment["DATABASE_URL"].split(":")[2].split("@")[0]
    redis_password = environment["REDIS_URL"].split(":")[2].split("@")[0]
    secrets = [discord.environment["DISCORD_TOKEN"], password, redis_password]
    assert all(len(secret) > 10 for secret in secrets)
    async with running_bot(discord, {**environment, "LOG_LEVEL": "DEBUG"}) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        request = await helpdesk.ask(ticket, close_delay="1h")
        discord.faults.add("*", "/channels/**", status=500, times=3)
        discord.faults.add("*", "/channels/**", status=403, times=1)
        await one(
            environment,
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = 'punctual'",
        )
        await discord.click(discord.customer, request, "Deny & Keep Open")
        await discord.slash(discord.staff, ticket, "autoclose status")
        discord.faults.clear()
        await helpdesk.ask(ticket, close_delay="1s")
        await discord.wait_deleted(ticket)
        assert await bot.terminate() == 0
    said = [json.dumps(call.body) + json.dumps(call.answer) for call in discord.requests]
    for secret in secrets:
        assert secret not in bot.log
        assert not any(secret in text for text in said)


@pytest.mark.parametrize(
    "broken",
    [
        {"DATABASE_URL": "postgresql://me:hunter2hunter2@/x?host=/nowhere"},
        {"DATABASE_URL": "postgresql://me:hunter2hunter2@127.0.0.1:1/x?sslmode=nonsense"},
        {"REDIS_URL": "redis://:hunter2hunter2@127.0.0.1:1/notanumber"},
        {"DISCORD_TOKEN": "hunter2hunter2"},
    ],
    ids=["socket", "option", "redis", "token"],
)
async def test_secrets_are_in_no_message_of_a_start_that_fails(
    discord: Discord, environment: Environment, broken: dict[str, str]
) -> None:
    bot = await start_bot(discord, {**environment, "LOG_LEVEL": "DEBUG", **broken})
    # A Redis that cannot be used does not keep it from starting.
    await eventually(lambda: not bot.running or "Cleaned up" in bot.log)
    await bot.kill()
    assert "hunter2" not in bot.log
    assert bot.lines
