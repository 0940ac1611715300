"""Scenes as data: objects, robots, cameras and lights from options or a TOML file, compiled over `mujoco.MjSpec`."""
