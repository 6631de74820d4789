"""The ticket lifecycle on a real PostgreSQL, with Discord in memory."""
