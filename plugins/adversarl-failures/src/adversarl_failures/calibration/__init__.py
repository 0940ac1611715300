"""How well failure classifiers find causes that are known because they were put there."""
