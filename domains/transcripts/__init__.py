"""The record of a ticket, saved before its channel is deleted.

`TranscriptStore` writes one directory a ticket: a page that can be read anywhere, loads nothing
and runs nothing, with the ticket's attachments beside it.
"""

from domains.transcripts.errors import AttachmentUnavailable
from domains.transcripts.models import (
    Attachment,
    Embed,
    MissedAttachment,
    SavedAttachment,
    SavedTranscript,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.room import Room
from domains.transcripts.store import TranscriptStore

__all__ = [
    "Attachment",
    "AttachmentUnavailable",
    "Embed",
    "MissedAttachment",
    "Room",
    "SavedAttachment",
    "SavedTranscript",
    "TranscriptHeader",
    "TranscriptMessage",
    "TranscriptStore",
]
