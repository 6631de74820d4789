"""What one ticket's attachments have taken so far of the room that there is for them."""

from __future__ import annotations

from domains.disk_space import readable_size
from domains.transcripts.errors import AttachmentUnavailable
from domains.transcripts.limits import Limits
from locales import Text


class Quota:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0
        """Bytes that are kept, or that room is held for: what was announced, or what came."""
        self.received = 0
        """Bytes that are kept, or on their way."""

    def share(self, announced: int) -> Share:
        """Room for an attachment of that size. Raises AttachmentUnavailable if there is none."""
        share = Share(self)
        share.hold(announced)
        return share

    def check(self, size: int, more: int) -> None:
        """Room for more of an attachment that has that size then."""
        if size > self._limits.attachment_bytes:
            allowed = readable_size(self._limits.attachment_bytes)
            raise AttachmentUnavailable(Text("transcript.missed_too_large", {"size": allowed}))
        if self.held + more > self._limits.total_bytes:
            allowed = readable_size(self._limits.total_bytes)
            raise AttachmentUnavailable(Text("transcript.missed_too_many", {"size": allowed}))


class Share:
    """The part of one attachment. An announced size is only what somebody said."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._held = 0
        self.received = 0

    def hold(self, size: int) -> None:
        more = max(0, size - self._held)
        self._quota.check(size, more)
        self._held += more
        self._quota.held += more

    def receive(self, size: int) -> None:
        """So much more has come. Raises AttachmentUnavailable if that is too much."""
        self.received += size
        self._quota.received += size
        self.hold(self.received)

    def begin_anew(self) -> None:
        """What has come is thrown away."""
        self._quota.received -= self.received
        self.received = 0

    def settle(self) -> None:
        """No more will come: only what has come takes room."""
        self._quota.held += self.received - self._held
        self._held = self.received
