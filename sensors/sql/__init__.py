"""What the SQL says: shaped, proved read-only, its tables and joins. The home of sqlglot; runs nothing."""
