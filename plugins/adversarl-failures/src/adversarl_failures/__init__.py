"""Failure classifiers for AdversaRL: which conditions make a policy fail, and how sure that is."""
