"""The reward detector ``clip``: image-text models of open_clip."""
