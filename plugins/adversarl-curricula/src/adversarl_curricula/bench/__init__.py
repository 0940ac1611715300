"""``adversarl bench curricula``: every curriculum on one fast task whose difficulty is known."""
