"""Tells people and machines: mail, webhook, syslog. One narrow channel protocol; delivery never waits on the night."""
