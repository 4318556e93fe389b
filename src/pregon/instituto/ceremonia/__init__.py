"""The key ceremony of an institute: making, moving, revoking and showing its keys."""
