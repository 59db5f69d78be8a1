"""Frozen values that everybody may hold: leaves, importing nothing of Patrol but each other."""
