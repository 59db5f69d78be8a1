"""Other bundles: where their files are just now, and how their repositories are pulled."""
