"""WATCHING: what looks after Patrol itself, and tells of it on the road of all violations."""
