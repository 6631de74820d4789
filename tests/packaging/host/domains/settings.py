"""A module that Punctual has, too."""

OWNER = "host"
