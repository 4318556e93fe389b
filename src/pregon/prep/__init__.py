"""What a PREP file says: actas, dialects of the official CSV, the split of coalition votes, truncation, findings.

Pure: text and rows in, values out. No engine, no network, no clock.
"""
