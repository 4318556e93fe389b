"""The institute's night on the profile's clock: each cut made, signed, delivered and watched."""
