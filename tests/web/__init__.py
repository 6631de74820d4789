"""The operator's view: who may see it, what it shows, and what its buttons do."""
