"""MuJoCo tabletop worlds for AdversaRL."""
