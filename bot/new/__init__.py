"""From an idea to files: a policy's pair, a job's entry, a table's. Gives texts; cli writes them."""
