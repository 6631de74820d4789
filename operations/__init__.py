"""`python bot.py check`, `health`, `timers`, `jobs`, `cleanup`, `postgres`: an operator's questions
from the shell."""

from operations.commands import add_commands, run_command

__all__ = ["add_commands", "run_command"]
