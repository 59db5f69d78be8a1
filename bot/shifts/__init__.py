"""People taking turns: who is on call, who stands in for whom, and how a shift is handed over."""
