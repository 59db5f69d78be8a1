"""Rules that hold a policy, and its cases, against what lies beside them."""
