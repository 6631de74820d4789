"""`/doctor`: what has to be fixed, and how; then what is good to know; then what is fine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cogs.cards.blocks import AMBER, GREEN, RED, Card
from cogs.findings import Finding, Severity, of_severity
from cogs.text import shorten
from locales import text

ROOM_FOR_THE_ILL: Final = 2_800
"""The others have a little room in any case."""
MARKS: Final = {
    Severity.BROKEN: "❌",
    Severity.IMPAIRED: "⚠️",
    Severity.NOTE: "💡",
    Severity.FINE: "✅",
}


def findings_card(findings: Sequence[Finding], locale: str) -> Card:
    ill = [finding for finding in findings if finding.is_ill]
    is_broken = bool(of_severity(findings, Severity.BROKEN))
    card = Card(RED if is_broken else AMBER if ill else GREEN)
    card.heading(
        text("doctor.to_fix", locale, count=len(ill)) if ill else text("doctor.all_well", locale)
    )
    for severity in Severity:
        lines = [_line(finding, locale) for finding in of_severity(findings, severity)]
        if not lines:
            continue
        card.separator()
        title = f"**{text(f'doctor.{severity.name.lower()}', locale)}**"
        is_ill = severity <= Severity.IMPAIRED
        room = ROOM_FOR_THE_ILL // 2 if is_ill else card.characters_left
        card.text(shorten("\n".join([title, *lines]), min(room, card.characters_left)))
    return card


def _line(finding: Finding, locale: str) -> str:
    what = f"{MARKS[finding.severity]} {finding.what.in_locale(locale)}"
    if finding.remedy is None:
        return f"-# {what}" if finding.severity is Severity.FINE else what
    return f"{what}\n→ **{finding.remedy.in_locale(locale)}**"
