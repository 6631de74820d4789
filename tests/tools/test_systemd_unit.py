"""What systemd itself says of the unit; that the bot works in it shows test_operations_page.py."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.tools.service import ROOT

pytestmark = pytest.mark.tools

UNIT = ROOT / "deploy" / "punctual.service"


def test_it_is_exposed_as_little_as_the_page_says() -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", UNIT],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    [level] = re.findall(r"Overall exposure level for punctual.service: ([\d.]+)", said)
    assert float(level) < 3
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"`systemd-analyze security punctual` says {level}" in page
