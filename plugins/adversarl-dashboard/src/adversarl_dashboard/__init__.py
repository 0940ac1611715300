"""A dashboard over run folders, in a browser."""
