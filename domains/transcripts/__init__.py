"""The record of a ticket, saved before its channel is deleted.

`TranscriptStore` writes one directory a ticket: a page that can be read anywhere, loads nothing
and runs nothing, with the ticket's attachments beside it.
"""

from domains.transcripts.changes import with_changes
from domains.transcripts.errors import AttachmentUnavailable, DownloadFailed
from domains.transcripts.forgetting import MembersPart
from domains.transcripts.limits import Limits
from domains.transcripts.manifest import ATTACHMENTS_NAME
from domains.transcripts.models import (
    Attachment,
    ChangeKind,
    Component,
    Control,
    EarlierText,
    Embed,
    MessageChange,
    MissedAttachment,
    Poll,
    SavedAttachment,
    SavedTranscript,
    Snapshot,
    Text,
    Thread,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.room import Room
from domains.transcripts.store import TranscriptStore

__all__ = [
    "ATTACHMENTS_NAME",
    "Attachment",
    "AttachmentUnavailable",
    "ChangeKind",
    "Component",
    "Control",
    "DownloadFailed",
    "EarlierText",
    "Embed",
    "Limits",
    "MembersPart",
    "MessageChange",
    "MissedAttachment",
    "Poll",
    "Room",
    "SavedAttachment",
    "SavedTranscript",
    "Snapshot",
    "Text",
    "Thread",
    "TranscriptHeader",
    "TranscriptMessage",
    "TranscriptStore",
    "with_changes",
]
