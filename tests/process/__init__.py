"""`python bot.py` as a process, against a Discord on the wire."""
