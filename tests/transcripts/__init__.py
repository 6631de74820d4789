"""The specification of domains.transcripts, on a real file system."""
