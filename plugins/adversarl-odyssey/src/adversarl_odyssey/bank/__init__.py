"""Banks: videos of the world model that are made beforehand."""
