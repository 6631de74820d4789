"""What discord.py makes of an answer that is none, and what the domain is told of it."""

from __future__ import annotations

from typing import Any, cast

import discord
import pytest

from cogs.discord_errors import discord_call
from domains.ticket_lifecycle.channels import DiscordFailedError

Message = cast("Any", discord.Message)


@pytest.mark.parametrize("answer", [{"code": 0}, "<html>", None], ids=["json", "page", "null"])
async def test_an_answer_that_makes_no_sense_is_a_failure_of_discord_in_one_line(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DiscordFailedError, match="its answer made no sense"):
        async with discord_call(None):
            Message(state=None, channel=None, data=answer)
    [record] = caplog.records
    assert record.exc_info is None
    assert "discord/message.py" in record.getMessage()


async def test_an_error_of_our_own_stays_one() -> None:
    with pytest.raises(KeyError):
        async with discord_call(None):
            cast("dict[str, str]", {})["id"]
