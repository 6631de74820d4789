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
    ActionRow,
    Attachment,
    ChangeKind,
    Component,
    Container,
    Control,
    ControlLook,
    EarlierText,
    Embed,
    MediaGallery,
    MessageChange,
    MissedAttachment,
    Named,
    Poll,
    SavedAttachment,
    SavedTranscript,
    Section,
    Separator,
    Snapshot,
    TextDisplay,
    Thread,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.room import Room
from domains.transcripts.store import TranscriptStore

__all__ = [
    "ATTACHMENTS_NAME",
    "ActionRow",
    "Attachment",
    "AttachmentUnavailable",
    "ChangeKind",
    "Component",
    "Container",
    "Control",
    "ControlLook",
    "DownloadFailed",
    "EarlierText",
    "Embed",
    "Limits",
    "MediaGallery",
    "MembersPart",
    "MessageChange",
    "MissedAttachment",
    "Named",
    "Poll",
    "Room",
    "SavedAttachment",
    "SavedTranscript",
    "Section",
    "Separator",
    "Snapshot",
    "TextDisplay",
    "Thread",
    "TranscriptHeader",
    "TranscriptMessage",
    "TranscriptStore",
    "with_changes",
]
