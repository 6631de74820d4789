"""What a person sees and can do in the demo: over HTTP, as its page does."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import ClientSession

from tests.demo.visitor import Visitor


async def open_and_ask(visitor: Visitor, delay: str) -> str:
    await visitor.step("open")
    await visitor.step("ask", delay=delay)
    await visitor.until_shown("ticket:close_request:deny")
    return visitor.ticket


async def test_a_ticket_closes_by_itself_and_its_end_is_shown_to_the_same_person(
    visitor: Visitor,
) -> None:
    ticket = await open_and_ask(visitor, "5s")
    assert visitor.view["as"] == "sam"
    await visitor.until_shown("auto-close-", "truth")

    await visitor.until_shown('id="end"')
    assert visitor.view["as"] == "sam"
    await visitor.until_shown(f"{ticket}.html")
    await visitor.until(lambda: "is on its way" not in visitor.regions["messages"], "the DM")
    await visitor.until(lambda: visitor.closed_late_ms, "the result")
    link = re.search(r'href="(/transcripts/[^"]+)"', visitor.regions["messages"])
    assert link is not None
    async with visitor.session.get(visitor.origin / link[1].lstrip("/")) as transcript:
        assert "My parcel has been on its way" in await transcript.text()
        assert "sandbox" in transcript.headers["Content-Security-Policy"]
    card = re.search(r'src="(/cards/[^"]+)"', visitor.regions["truth"])
    assert card is not None
    async with visitor.session.get(urljoin(str(visitor.origin), card[1])) as svg:
        assert re.search(r"closed [\d.]+ m?s late", await svg.text())

    await visitor.look("casey", "dm")
    assert "was closed" in visitor.regions["messages"]
    assert visitor.closed_late_ms is not None, "the ticket in view stays in view"


@pytest.mark.parametrize(
    ("answer", "outcome"), [("deny", "denied"), ("write", "answered"), ("accept", "accepted")]
)
async def test_a_deadline_can_be_answered(visitor: Visitor, answer: str, outcome: str) -> None:
    await open_and_ask(visitor, "3d")
    await visitor.until_shown('id="countdown"', "truth")
    await visitor.step(answer)
    assert visitor.view["as"] == "casey"
    await visitor.until_shown(f"status=<b>{outcome}</b>", "truth")


async def test_all_can_be_done_by_hand(visitor: Visitor) -> None:
    await visitor.look("casey", "welcome")
    form = (await visitor.press("ticket:open"))["modal"]
    interaction, field = re.findall(r'data-interaction="(\d+)"|<input id="field-([^"]+)"', form)
    before = set(visitor.places)
    fields = {field[1]: ["Refund, please"]}
    assert not await visitor.act("submit", interaction=interaction[0], fields=fields)
    await visitor.until(lambda: set(visitor.places) - before, "a channel")
    [ticket] = set(visitor.places) - before

    await visitor.look("sam", ticket)
    assert '"name": "closerequest"' in visitor.regions["commands"]
    typed = {"close_delay": "3"}
    choices = (
        await visitor.act("suggest", command="closerequest", options=typed, focused="close_delay")
    )["choices"]
    assert all(choice["label"] for choice in choices)
    assert not await visitor.run("closerequest", reason="Done?", close_delay="3d")
    await visitor.until_shown("Done?")
    assert "Only you can see this" in visitor.regions["messages"]

    await visitor.look("casey")
    assert "Only you can see this" not in visitor.regions["messages"], "it was said to sam"
    assert not await visitor.act("write", text="Not *yet*")
    await visitor.until_shown("Not <em>yet</em>")

    await visitor.look("robin")
    assert "can&#39;t see this channel" in visitor.regions["messages"]
    assert ticket not in visitor.places
    refused = await visitor.act("write", text="Let me in")
    assert "error" in refused


async def test_what_discord_does_not_let_a_person_do_is_said(visitor: Visitor) -> None:
    await visitor.look("casey", "welcome")
    assert "error" in await visitor.run("setup")
    assert "error" in await visitor.act("press", message="1", custom_id="ticket:open")
    assert "error" in await visitor.act("submit", interaction="1", fields={})


async def test_the_page_is_in_the_chosen_language(demo_url: str) -> None:
    async with Visitor.at(demo_url, "de") as visitor:
        assert "Öffne ein Ticket" in visitor.regions["steps"]
        async with visitor.session.get(
            visitor.origin, headers={"Accept-Language": "de-AT"}
        ) as page:
            assert '<html lang="de">' in await page.text()


async def test_the_dashboard_is_linked(visitor: Visitor) -> None:
    async with visitor.session.get(visitor.origin) as page:
        found = re.search(r'href="http://(\w+):(\w+)@([\d.:]+)/"', await page.text())
    assert found is not None
    user, password, address = found.groups()
    login = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    async with visitor.session.get(f"http://{address}/", headers=login) as dashboard:
        assert dashboard.status == 200


# --- strangers


async def test_without_the_key_nothing_is_shown(demo_url: str, visitor: Visitor) -> None:
    async with ClientSession() as stranger:
        for path in ("", "events", "static/page.js", "?key=guessed", "?key=ünïcödé"):
            async with stranger.get(urljoin(demo_url, f"/{path}")) as response:
                assert response.status == 403
                assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        async with stranger.post(urljoin(demo_url, "/act"), json={"do": "speak"}) as response:
            assert response.status == 403


async def test_a_foreign_page_cannot_act(visitor: Visitor) -> None:
    strike = {"do": "strike", "blow": "kill_bot"}
    for headers in ({"Origin": "https://evil.example"}, {"Host": "rebound.example"}):
        async with visitor.session.post(
            visitor.origin / "act", json=strike, headers=headers
        ) as response:
            assert response.status == 403


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"do": "nothing"},
        {"do": "write", "as": "nobody"},
        {"do": "write", "in": "x"},
        {"do": "write", "text": "x" * 2001},
        {"do": "strike", "blow": "all"},
        {"do": "write", "more": 1},
    ],
)
async def test_nonsense_is_refused(visitor: Visitor, said: dict[str, object]) -> None:
    async with visitor.session.post(visitor.origin / "act", json=said) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    "path", ["transcripts/99/", "transcripts/1/../../1/", "files/1/2/x", "cards/99.svg", "cards/x"]
)
async def test_no_other_file_is_served(visitor: Visitor, path: str) -> None:
    async with visitor.session.get(f"{visitor.origin}/{path}") as response:
        assert response.status == 404


async def test_the_page_loads_nothing_foreign(visitor: Visitor) -> None:
    async with visitor.session.get(visitor.origin) as response:
        page = await response.text()
    paths = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(paths) >= 4
    for path in paths:
        async with visitor.session.get(urljoin(str(visitor.origin), path)) as response:
            assert response.status == 200
