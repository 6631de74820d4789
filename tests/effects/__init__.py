"""The outbox and its runner, on a real PostgreSQL, without anything that knows tickets."""
