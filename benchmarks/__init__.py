"""What Punctual's queue gains over what it is built on, in figures anybody can measure again."""
