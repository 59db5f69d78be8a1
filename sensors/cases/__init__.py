"""A policy's own tests: rows given, slices of real rows, stand-ins for what is personal, small changes."""
