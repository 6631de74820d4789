"""Transcripts on the dashboard: behind the login, with their files, and nothing besides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from domains.transcripts import Attachment, TranscriptStore
from tests.transcripts.samples import HEADER, PNG, attached, attachment, stream

from .web_env import GUILD_ID, WebEnv

SCRIPT = b"<html><script>alert(document.cookie)</script></html>"
CONTENTS = {"picture.png": PNG, "page.html": SCRIPT, "fake.png": SCRIPT, "pic.svg": SCRIPT}


async def contents(file: Attachment) -> AsyncIterator[bytes]:
    yield CONTENTS[file.filename]


@pytest.fixture
async def base(web_env: WebEnv) -> str:
    """The address of a transcript; the other ticket has none."""
    ticket, _ = await web_env.open(), await web_env.open()
    store = TranscriptStore(web_env.settings.data_dir / "transcripts")
    header = replace(HEADER, guild_id=GUILD_ID, ticket_id=ticket.id)
    files = [attachment(name, size=len(data)) for name, data in CONTENTS.items()]
    await store.save(header, stream(attached(*files)), contents)
    return f"/tickets/{ticket.id}/transcript"


async def test_a_ticket_leads_to_its_transcript_which_can_do_nothing(
    web_env: WebEnv, base: str
) -> None:
    assert f'href="{base}/"' in (await web_env.get("/tickets/1")).text
    assert "transcript/" not in (await web_env.get("/tickets/2")).text
    page = await web_env.get(f"{base}/")
    assert page.status == 200
    assert 'src="attachments/1-picture.png"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-same-origin allow-downloads; default-src 'none';")
    assert "script" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert (await web_env.ask("GET", f"{base}/")).status == 401
    assert (await web_env.ask("GET", f"{base}/attachments/1-picture.png")).status == 401


@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("1-picture.png", "image/png", "inline"),
        ("2-page.html.bin", "application/octet-stream", "attachment"),
        ("3-fake.png", "application/octet-stream", "attachment"),
        ("4-pic.svg.bin", "application/octet-stream", "attachment"),
    ],
)
async def test_only_pictures_are_shown_and_all_else_is_downloaded(
    web_env: WebEnv, base: str, name: str, content_type: str, disposition: str
) -> None:
    answer = await web_env.get(f"{base}/attachments/{name}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"].startswith(f"{disposition}; filename*=UTF-8''")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox ")


@pytest.mark.parametrize(
    "path",
    [
        "attachments/",
        "attachments/nothing.txt",
        "attachments/..%2fmanifest.json",
        "attachments/..%2findex.html",
        "attachments/%2e%2e%2f%2e%2e%2f2%2findex.html",
        "attachments/..%5cmanifest.json",
        "attachments/%2fetc%2fpasswd",
        "attachments/1-picture.png%00.html",
        "attachments/1-picture.png/",
        "manifest.json",
        "../../../.env",
    ],
)
async def test_no_name_leads_anywhere_else(web_env: WebEnv, base: str, path: str) -> None:
    assert (await web_env.get(f"{base}/{path}")).status == 404


async def test_a_link_in_the_place_of_a_file_is_not_followed(web_env: WebEnv, base: str) -> None:
    secret = web_env.settings.data_dir / "secret"
    secret.write_text("secret")
    kept = web_env.settings.data_dir / "transcripts" / "1" / "1" / "attachments" / "1-picture.png"
    kept.unlink()
    kept.symlink_to(secret)
    assert (await web_env.get(f"{base}/attachments/1-picture.png")).status == 404


async def test_a_ticket_without_a_transcript_has_none(web_env: WebEnv, base: str) -> None:
    for ticket_id in (2, 999):
        for path in ("", "attachments/1-picture.png"):
            answer = await web_env.get(f"/tickets/{ticket_id}/transcript/{path}")
            assert answer.status == 404
