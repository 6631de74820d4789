"""The whole bot on a virtual Discord, with its real worker on real PostgreSQL and Valkey."""
