"""``adversarl bench dashboard``: how long pages take in a browser, and the pictures of the documentation."""
