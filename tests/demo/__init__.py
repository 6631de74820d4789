"""`python bot.py --demo`, used as a person does: through its two pages, and with Ctrl+C."""
