"""The workers: who runs jobs, with Redis and without it."""
