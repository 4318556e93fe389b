"""Peers: what a careful person would write without Pregón, measured against it."""
