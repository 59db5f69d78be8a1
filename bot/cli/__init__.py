"""The command line: one module per group of verbs. Drivers are imported inside the commands."""
