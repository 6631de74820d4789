"""The one way in which the embedded servers fail."""


class EmbeddedServersError(Exception):
    """No embedded server, and why: one line for the person who started the bot."""


class ServerEndedError(EmbeddedServersError):
    """It ended before it was ready."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """Of its supervisor."""
