"""Fault tests: nothing closes early, late, twice or never, whatever is killed, frozen,
flushed, cut or doubled meanwhile."""
