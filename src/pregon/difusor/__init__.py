"""The difusor: receives, verifies, publishes, serves and reports. Nothing unverified is ever public (design §3)."""
