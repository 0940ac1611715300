"""The pages; each has a function ``show``."""
