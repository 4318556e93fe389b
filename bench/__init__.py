"""Measurements as ratios against a peer program run in turn on the same machine. ``make bench``."""
