"""What is kept of a member, as a zip for that member.

Of their own tickets all that they could see there. Of others' tickets only what they did and wrote
themselves.
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domains.errors import UserError
from domains.ticket_lifecycle.forget_member import EVERY_GUILD
from domains.ticket_lifecycle.models import Ticket
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import personal_data
from domains.ticket_lifecycle.store.personal_data import Export
from domains.transcripts import ATTACHMENTS_NAME
from locales import DEFAULT_LOCALE, text

PAGE = 100
MAX_TICKETS = 5_000
PAUSE_S = 0.02
OVERHEAD = 512
"""In a zip, of each file beside its content, about."""


class ExportingAlreadyError(UserError):
    def __init__(self) -> None:
        super().__init__("privacy.exporting_already")


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content: Path | str | None
    """None: there is no room for it in any case."""

    def fits(self, room: int) -> bool:
        return self.content is not None and self.size <= room

    @property
    def size(self) -> int:
        """In the zip, at most."""
        names = 2 * len(self.name.encode()) + OVERHEAD
        if isinstance(self.content, Path):
            return names + self.content.stat().st_size
        return names + len((self.content or "").encode())


class ExportMember:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._busy = asyncio.Lock()

    async def export(
        self, user_id: int, max_bytes: int, locale: str = DEFAULT_LOCALE
    ) -> bytes | None:
        """A zip of at most so many bytes, the newest first; None if nothing is kept. Raises
        ExportingAlready while this process is at another one."""
        if self._busy.locked():
            raise ExportingAlreadyError
        async with self._busy:
            own = await self._own_tickets(user_id)
            others = await self._tickets_of_others(user_id)
            files = [file for each in own for file in await self._transcript(each.ticket)]
            files += await self._words_elsewhere(
                user_id, {each.ticket.id for each in own}, max_bytes
            )
            if not own and not others and not files:
                return None
            return await asyncio.to_thread(
                _zip, _data(user_id, own, others), files, max_bytes, locale
            )

    # --- rows

    async def _own_tickets(self, user_id: int) -> list[Export]:
        async with self._services.database.connection() as connection:
            tickets = [
                ticket
                for closed in (False, True)
                for ticket in await personal_data.opened_by(
                    connection, user_id, EVERY_GUILD, closed=closed, limit=MAX_TICKETS
                )
            ]
        return await self._exports(tickets)

    async def _tickets_of_others(self, user_id: int) -> list[Export]:
        found: list[Ticket] = []
        while len(found) < MAX_TICKETS:
            async with self._services.database.connection() as connection:
                page = await personal_data.took_part(
                    connection,
                    user_id,
                    EVERY_GUILD,
                    after=found[-1].id if found else 0,
                    limit=PAGE,
                )
            if not page:
                break
            found += page
        return await self._exports(found)

    async def _exports(self, tickets: Sequence[Ticket]) -> list[Export]:
        exports: list[Export] = []
        for start in range(0, len(tickets), PAGE):
            async with self._services.database.connection() as connection:
                exports += [
                    await personal_data.export(connection, ticket)
                    for ticket in tickets[start : start + PAGE]
                ]
            await asyncio.sleep(PAUSE_S)
        return exports

    # --- files

    async def _transcript(self, ticket: Ticket) -> list[_File]:
        find = self._services.transcripts.find
        transcript = await asyncio.to_thread(find, ticket.guild_id, ticket.id)
        if transcript is None:
            return []
        folder = f"tickets/{ticket.guild_id}-{ticket.name}"
        return [
            _File(f"{folder}/index.html", transcript.path),
            *(
                _File(f"{folder}/{ATTACHMENTS_NAME}/{attachment.path.name}", attachment.path)
                for attachment in transcript.attachments
            ),
        ]

    async def _words_elsewhere(
        self, user_id: int, own_ids: set[int], max_bytes: int
    ) -> list[_File]:
        erasure = self._services.transcripts.erasure
        files, room = list[_File](), max_bytes
        for guild_id in await erasure.guild_ids():
            for ticket_id in await erasure.about(user_id, guild_id):
                words = None
                if ticket_id not in own_ids:
                    words = await erasure.own_words(guild_id, ticket_id, user_id)
                if words is None:
                    continue
                folder = f"in-others-tickets/{guild_id}-{ticket_id}"
                room -= len(words.page)
                page = words.page if room > 0 else None
                files.append(_File(f"{folder}/index.html", page))
                files += [
                    _File(f"{folder}/{ATTACHMENTS_NAME}/{path.name}", path) for path in words.files
                ]
        return files


def _who(user_id: int | None, member_id: int) -> str:
    """Nobody else is named."""
    if user_id is None:
        return "the bot"
    return "you" if user_id == member_id else "somebody else"


def _data(
    member_id: int, own: Sequence[Export], others: Sequence[Export]
) -> Callable[[], Mapping[str, object]]:
    """Made in the thread: there may be thousands."""
    return lambda: {
        "user_id": str(member_id),
        "your_tickets": [_own_ticket(each, member_id) for each in own],
        "in_tickets_of_others": [_part(each, member_id) for each in others],
    }


def _own_ticket(export: Export, member_id: int) -> Mapping[str, object]:
    ticket = export.ticket
    return {
        **_where(ticket),
        "subject": ticket.subject,
        "your_language": ticket.opener_locale,
        "status": ticket.status.value,
        "opened_at": ticket.opened_at.isoformat(),
        "closed_at": ticket.closed_at.isoformat() if ticket.closed_at else None,
        "closed_by": _who(ticket.closed_by_id, member_id) if ticket.closed_at else None,
        "close_reason": ticket.close_reason,
        "close_requests": [
            {
                "asked_by": _who(request.requested_by_id, member_id),
                "reason": request.reason,
                "requested_at": request.requested_at.isoformat(),
                "status": request.status.value,
            }
            for request in export.requests
        ],
        "events": [
            {
                "event": event.event,
                "by": _who(event.actor_id, member_id),
                "at": event.at.isoformat(),
            }
            for event in export.events
        ],
    }


def _part(export: Export, member_id: int) -> Mapping[str, object]:
    return {
        **_where(export.ticket),
        "you_closed_it_because": (
            export.ticket.close_reason if export.ticket.closed_by_id == member_id else None
        ),
        "you_asked_to_close_it": [
            {"reason": request.reason, "at": request.requested_at.isoformat()}
            for request in export.requests
            if request.requested_by_id == member_id
        ],
        "you_did": [
            {"event": event.event, "at": event.at.isoformat()}
            for event in export.events
            if event.actor_id == member_id
        ],
    }


def _where(ticket: Ticket) -> Mapping[str, object]:
    return {"guild_id": str(ticket.guild_id), "number": ticket.number}


def _zip(data: Callable[[], object], files: Sequence[_File], max_bytes: int, locale: str) -> bytes:
    """What is too large is named. Sizes are counted as if nothing became smaller, so it fits."""
    rows = json.dumps(data(), indent=2, ensure_ascii=False)
    room = max_bytes - len(rows.encode()) - OVERHEAD
    room -= sum(len(file.name.encode()) + 1 for file in files)  # if all are named in the README
    left_out: list[str] = []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            try:
                if file.fits(room):
                    room -= file.size
                    _write(archive, file)
                else:
                    left_out.append(file.name)
            except FileNotFoundError:
                continue  # it was deleted meanwhile
        archive.writestr("data.json", rows)
        readme = text("privacy.export_readme", locale)
        if left_out:
            readme += text("privacy.export_left_out", locale) + "\n".join(left_out) + "\n"
        archive.writestr("README.txt", readme)
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, file: _File) -> None:
    if isinstance(file.content, Path):
        archive.write(file.content, file.name)
    else:
        archive.writestr(file.name, file.content or "")
