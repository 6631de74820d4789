"""What the bot posts: each message that tells of a ticket, made from the domain's rows."""
