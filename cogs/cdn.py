"""Reading a file from Discord's CDN, piece by piece: discord.py reads it whole, however large it
says to be, for as long as it takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import aiohttp
import discord
from discord.http import HTTPClient

from domains.transcripts import AttachmentUnavailable, DownloadFailed
from locales import Text

PIECE_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 8.0
WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
"""Of the answers below 500: the others are meant as they are said."""
GONE = frozenset({403, 404, 410})
GONE_TEXT = Text("transcript.missed_deleted")
UNZIPPED = {"Accept-Encoding": "identity"}
"""Unpacked by us, a small answer could be of any size."""


async def read_file(http: HTTPClient, url: str) -> AsyncGenerator[bytes]:
    """Raises AttachmentUnavailable, DownloadFailed, or what aiohttp does where nothing answers."""
    if type(http).get_from_cdn is not HTTPClient.get_from_cdn:
        # A virtual Discord, whose files are in memory.
        try:
            yield await http.get_from_cdn(url)
        except discord.NotFound:
            raise AttachmentUnavailable(GONE_TEXT) from None
        return
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=SILENCE_TIMEOUT_S
    )
    async with (
        aiohttp.ClientSession(
            connector=http.connector or None,
            connector_owner=False,
            timeout=timeout,
            headers=UNZIPPED,
            auto_decompress=False,
        ) as session,
        session.get(url, proxy=http.proxy, proxy_auth=http.proxy_auth) as response,
    ):
        _check(response)
        async for piece in response.content.iter_chunked(PIECE_BYTES):
            yield piece


def _check(response: aiohttp.ClientResponse) -> None:
    status = response.status
    answered = Text("transcript.missed_answer", {"status": status})
    if status in GONE:
        raise AttachmentUnavailable(GONE_TEXT)
    if status >= 500 or status in WORTH_ANOTHER_TRY:
        raise DownloadFailed(answered)
    if status != 200:
        raise AttachmentUnavailable(answered)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise AttachmentUnavailable(Text("transcript.missed_encoded"))
