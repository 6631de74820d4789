"""Gives a bot's pool as many connections as POOL says: Python imports this at its start, if its
folder is on PYTHONPATH, and the bot's own folder too."""

import os

from domains.database import Database

_defaults = Database.__init__.__kwdefaults__
assert _defaults is not None
_defaults["max_connections"] = int(os.environ["POOL"])
