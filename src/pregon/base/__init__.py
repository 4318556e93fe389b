"""The ground floor: errors, clock, durable files, locks, space, settings, state, processes. Imports nothing of ours."""
