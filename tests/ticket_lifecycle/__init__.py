"""The ticket lifecycle on a real PostgreSQL, with Discord and the scheduler in memory."""
