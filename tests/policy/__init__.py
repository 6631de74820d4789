"""What a server has set."""
