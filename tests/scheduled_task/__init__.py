"""The scheduler, on real servers: what it promises, and what may be done to it meanwhile."""
