"""Domains of the host's own."""

OWNER = "host"
