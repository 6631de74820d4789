"""The list of tickets: what it is narrowed to, its pages, and what is typed into its form."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from web.page_maker import PAGE

from .web_env import STAFF_ID, WebEnv

HOSTILE = "</bdi></option><script>alert(1)</script>\u202e{{7*7}}\"'&"


def subjects(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'<bdi class="subject">([^<]*)</bdi>', page)]


async def listed(web_env: WebEnv, query: str = "") -> list[str]:
    answer = await web_env.get(f"/tickets{query}")
    assert answer.status == 200, query
    return subjects(answer.text)


@pytest.fixture
async def some(web_env: WebEnv) -> WebEnv:
    """Of three servers and in all states; whoever opened a ticket is named after it."""
    for subject in ("open", "timed", "stuck", "closing", "closed", "elsewhere"):
        ticket = await web_env.open(f"the {subject} one")
        web_env.names.of_members[ticket.opener_id] = f"{subject} opener"
        if subject in ("timed", "closed"):
            await web_env.ask_to_close(ticket)
    await web_env.execute(
        """update punctual.tickets set
               guild_id = case when subject like '%elsewhere%' then 2 else 1 end,
               status = case when subject like '%closing%' then 'closing'
                             when subject like '%closed%' then 'closed' else 'open' end,
               attention = case when subject like '%stuck%' then '{"code": "other"}'::jsonb end"""
    )
    return web_env


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=open", ["elsewhere", "stuck", "timed", "open"]),
        ("?state=closing", ["closing"]),
        ("?state=closed", ["closed"]),
        ("?state=attention", ["stuck"]),
        ("?state=timed", ["timed"]),
        ("?state=timed&server=1&opener=timed&subject=TIMED", ["timed"]),
        ("?state=timed&server=2", []),
        ("?server=2", ["elsewhere"]),
        ("?opener=1001", ["timed"]),
        ("?opener=stuck+open", ["stuck"]),
        ("?opener=nobody", []),
        ("?subject=CLOS", ["closed", "closing"]),
        ("?subject=%25", []),
        ("?subject=th_", []),
        ("?state=nonsense", ["elsewhere", "closed", "closing", "stuck", "timed", "open"]),
    ],
)
async def test_the_list_is_narrowed_and_comes_newest_first(
    some: WebEnv, query: str, found: list[str]
) -> None:
    assert await listed(some, query) == [f"the {each} one" for each in found]


async def test_pages_together_are_the_whole(web_env: WebEnv) -> None:
    await web_env.execute(
        """insert into punctual.tickets (guild_id, number, opener_id, subject)
           select 1, n, n, 'number ' || n from generate_series(1, $1) n""",
        2 * PAGE + 3,
    )
    path, found, pages = "/tickets?subject=number", list[str](), 0
    while path:
        page = (await web_env.get(path)).text
        found += subjects(page)
        pages += 1
        older = re.search(r'<a rel="next" href="([^"]*)">Older</a>', page)
        path = unescape(older[1]) if older else ""
    assert pages == 3
    assert found == [f"number {n}" for n in range(2 * PAGE + 3, 0, -1)]


async def test_a_text_is_looked_for_in_so_many_tickets_a_page(
    web_env: WebEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.monitoring.ticket_list.SEARCHED", 2)
    for subject in ("wanted", "other", "other", "other"):
        await web_env.open(subject)
    page = (await web_env.get("/tickets?subject=wanted")).text
    further = re.search(r'<a rel="next" href="([^"]*)">Look further back</a>', page)
    assert subjects(page) == []
    assert further is not None
    assert await listed(web_env, unescape(further[1]).removeprefix("/tickets")) == ["wanted"]


@pytest.mark.parametrize(
    "typed",
    [
        "x" * 3_000,
        "'; drop table punctual.tickets; --",
        HOSTILE,
        "\0",
        "\ud800".encode(errors="surrogatepass"),
        "%00%ff",
        "9" * 19,
        "9" * 40,
        "-1",
    ],
)
async def test_whatever_is_typed_into_the_form_is_harmless(
    some: WebEnv, typed: str | bytes
) -> None:
    for name in ("server", "state", "opener", "subject", "before"):
        answer = await some.get(f"/tickets?{name}={quote(typed)}")
        assert answer.status == 200, name
        assert "<script>" not in answer.text
    assert len(await listed(some)) == 6


async def test_people_and_servers_are_called_by_their_names_and_ids_are_in_tooltips(
    web_env: WebEnv,
) -> None:
    web_env.names.of_servers[1] = "Northwind"
    web_env.names.of_members |= {1_000: HOSTILE, STAFF_ID: "Ben"}
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    pages = [
        (await web_env.get(path)).text
        for path in (
            "/tickets",
            f"/tickets/{ticket.id}",
            "/deadlines",
            f"/tickets/{ticket.id}/close",
        )
    ]
    for page in pages:
        assert '<bdi title="server 1">Northwind</bdi>' in page
        assert "<script>alert" not in page
    assert '<bdi title="user 200">Ben</bdi> asked to close it' in pages[1]
    assert '<bdi title="user 200">Ben</bdi>' in pages[2]
    assert HOSTILE in unescape(pages[0])
    assert '<option value="1" title="server 1">Northwind</option>' in pages[0]
