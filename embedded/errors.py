"""The one way in which the embedded servers fail."""


class EmbeddedServersError(Exception):
    """No embedded server, and why: one line for the person who started the bot."""
