"""`/doctor`: what has to be fixed, and how; then what is good to know; then what is fine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cogs.cards.blocks import AMBER, GREEN, RED, Card
from cogs.findings import Finding, Severity, of_severity
from locales import text

ROOM: Final = {
    Severity.BROKEN: 1_500,
    Severity.IMPAIRED: 1_100,
    Severity.NOTE: 500,
    Severity.FINE: 800,
}
"""Characters: so each has some in any case."""
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
        card.text("\n".join([title, *_fitting(lines, ROOM[severity] - len(title), locale)]))
    return card


def _fitting(lines: Sequence[str], room: int, locale: str) -> list[str]:
    """As many as there is room for; the others are counted."""
    kept: list[str] = []
    room -= len(text("doctor.more", locale, count=len(lines))) + 1
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*kept, text("doctor.more", locale, count=len(lines) - len(kept))]
        kept.append(line)
    return kept


def _line(finding: Finding, locale: str) -> str:
    what = f"{MARKS[finding.severity]} {finding.what.in_locale(locale)}"
    if finding.remedy is None:
        return f"-# {what}" if finding.severity is Severity.FINE else what
    return f"{what}\n→ **{finding.remedy.in_locale(locale)}**"
