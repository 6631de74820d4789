"""All that knows tickets and time, and nothing of Discord."""
