"""What a machine has, against what a call asks: read or measured, never believed."""
