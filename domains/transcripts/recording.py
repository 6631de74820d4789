"""One save in progress: what has come so far, on disk, until it is published or thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domains.transcripts.archive import GuildArchive
from domains.transcripts.collecting import Missed
from domains.transcripts.conversation import Conversation, Entry, KeptAttachment, Outcome
from domains.transcripts.filenames import safe_filename
from domains.transcripts.filesystem import sync_directory, write_text_durably
from domains.transcripts.images import is_inline_image
from domains.transcripts.manifest import ATTACHMENTS_NAME, PAGE_NAME, Manifest, StoredAttachment
from domains.transcripts.models import (
    Attachment,
    MissedAttachment,
    SavedTranscript,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.page import Contents, PageRenderer
from domains.transcripts.participants import Participants
from domains.transcripts.people import PeopleRecorder

MESSAGES_NAME = ".messages"
PIECE_LENGTH = 64 * 1024


class Recording:
    """Blocking, and for one thread at a time. Nothing is on disk before `begin`.

    Messages are rendered as they come, into a file that the page takes in at the end: memory
    stays small, and the top of the page can tell how many there are.
    """

    def __init__(
        self, header: TranscriptHeader, archive: GuildArchive, renderer: PageRenderer
    ) -> None:
        self._header = header
        self._archive = archive
        self._renderer = renderer
        self._conversation = Conversation(header.locale)
        self._people = PeopleRecorder()
        self._participants = Participants()
        self._colours = set[int]()
        self._staging = archive.staging(header.ticket_id)
        self.downloads = archive.downloads(header.ticket_id)
        self._attachments = self._staging.path / ATTACHMENTS_NAME
        self._messages = self._staging.path / MESSAGES_NAME
        self._message_count = 0
        self._kept: list[KeptAttachment] = []
        self._missed: list[MissedAttachment] = []

    def begin(self) -> None:
        self._archive.open(self._staging)
        self._attachments.mkdir(mode=0o700)
        self._messages.touch()

    def add(self, messages: Sequence[TranscriptMessage], missed: Missed) -> None:
        """In their order. What is not missed is taken from the downloads."""
        entries = [Entry(message, self._outcomes(message, missed)) for message in messages]
        views = [self._conversation.view(entry) for entry in entries]
        with self._messages.open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(self._renderer.messages(views))
        for entry in entries:
            self._participants.add(entry.message)
            self._colours.update(entry.message.colours)
            self._people.add(
                entry.message,
                stored_names=(kept.stored_name for kept in entry.kept),
                missed=(missed.filename for missed in entry.missed),
            )
        self._message_count += len(entries)
        self._missed.extend(missed for entry in entries for missed in entry.missed)

    def _outcomes(self, message: TranscriptMessage, missed: Missed) -> dict[Attachment, Outcome]:
        outcomes: dict[Attachment, Outcome] = {}
        for attachment in message.all_attachments:
            if attachment in outcomes:
                continue
            if (miss := missed.get(attachment)) is not None:
                outcomes[attachment] = miss
            else:
                outcomes[attachment] = self._keep(attachment)
        return outcomes

    def _keep(self, attachment: Attachment) -> KeptAttachment:
        filename = safe_filename(attachment.filename)
        stored_name = f"{len(self._kept) + 1}-{filename}"
        path = self._attachments / stored_name
        self.downloads.put(attachment.id, path)
        kept = KeptAttachment(
            stored_name=stored_name,
            filename=filename,
            size=path.stat().st_size,
            is_image=is_inline_image(path),
            description=attachment.description,
            announced_size=attachment.size,
        )
        self._kept.append(kept)
        return kept

    def publish(self) -> SavedTranscript:
        """What stands now: this transcript, or an older one that holds more messages."""
        contents = Contents(
            messages=self._message_count,
            attachments=len(self._kept),
            missed=len(self._missed),
            participants=self._participants.in_order(),
            colours=self._colours,
        )
        page = self._renderer.page(self._header, contents, self._pieces())
        write_text_durably(self._staging.path / PAGE_NAME, page)
        self._messages.unlink()
        sync_directory(self._attachments)
        manifest = self._manifest()
        manifest.write(self._staging.path)
        transcript = self._archive.publish(self._staging, self._header.ticket_id, manifest)
        self.downloads.discard()
        return transcript

    def discard(self) -> None:
        """Leave nothing but what was published, and what need not be fetched again."""
        self._staging.discard()

    def _pieces(self) -> Iterator[str]:
        with self._messages.open(encoding="utf-8", newline="") as file:
            while piece := file.read(PIECE_LENGTH):
                yield piece

    def _manifest(self) -> Manifest:
        return Manifest(
            message_count=self._message_count,
            attachments=tuple(
                StoredAttachment(
                    stored_name=kept.stored_name, filename=kept.filename, size=kept.size
                )
                for kept in self._kept
            ),
            missed=tuple(self._missed),
            people=self._people.people(),
        )
