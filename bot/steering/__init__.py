"""Jobs beside their being asked for: started by themselves, seen over there, late."""
