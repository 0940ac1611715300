"""Tasks as data: what begins an episode, what counts as success, what is rewarded, and an expert that solves it."""
