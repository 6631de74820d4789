"""docs/operations.md, copied and pasted into a fresh Debian, from `Install` to `Uninstall`."""

from __future__ import annotations

import pytest

from tests.process.helpdesk import Helpdesk
from tests.tools.debian import Debian
from tests.tools.pages import blocks_of
from tests.tools.service import NEWER_VERSION, ROOT, Service, lead_to_discord
from tests.wire import Discord

pytestmark = [pytest.mark.tools, pytest.mark.timeout(3600)]

PAGE = ROOT / "docs" / "operations.md"
SERVER_VERSION = "postgres psql -Atc 'show server_version'"


async def test_every_command_of_the_page_works_and_nothing_is_lost(debian: Debian) -> None:
    async with Discord() as discord:
        service, helpdesk = Service(debian), Helpdesk(discord)
        said: dict[str, str] = {}
        section = ""
        for block in blocks_of(PAGE):
            if section not in ("", "Docker", "Uninstall", block.section):
                await arrived_at_the_end_of(section, service, helpdesk)
            if block.section == "Upgrade":
                await debian.run(NEWER_VERSION)
            section = block.section
            if block.is_run:
                said[section] = said.get(section, "") + await debian.run(block.commands)
                lead_to_discord(debian.root / "opt/punctual/.venv", discord)

        assert "Active: active (running)" in said["Look at it"]
        assert "auto-close" in said["Look at it"]
        assert "0 failed jobs" in said["Look at it"]
        assert "FAILED" not in said["Look at it"]
        assert "Successfully installed" in said["Install"]
        assert "Fast-forward" in said["Upgrade"]
        left = await debian.run("ls /opt /var/lib; getent passwd punctual || cat /proc/*/comm")
        assert "systemd" in left
        assert "punctual" not in left


async def arrived_at_the_end_of(section: str, service: Service, helpdesk: Helpdesk) -> None:
    if section == "Install":
        await service.shows("0 timers")
        await two_tickets(helpdesk)
    await service.shows("ticket 2 (#ticket-0002")
    version = await service.command(SERVER_VERSION)
    assert version.startswith("15" if section == "Your own servers" else "18"), section
    assert await service.command("postgres psql -Atc 'select status from punctual.tickets'") == (
        "closed\nopen\n"
    )
    assert helpdesk.discord.unexpected == []


async def two_tickets(helpdesk: Helpdesk) -> None:
    """One is closed and has a transcript; the other closes in an hour."""
    discord = helpdesk.discord
    await discord.wait_ready(within=60)
    panel = await helpdesk.set_up()
    channel = await helpdesk.open_ticket(panel)
    request = await helpdesk.ask(channel, close_delay="1h")
    await discord.click(discord.customer, request, "Accept & Close")
    await discord.wait_deleted(channel)
    channel = await helpdesk.open_ticket(panel, subject="Another", member=discord.stranger)
    await helpdesk.ask(channel, close_delay="1h")
