"""People who do what Discord's client would not let them do, and write what nobody should."""
