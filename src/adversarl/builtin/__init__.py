"""What comes with the core: enough to run a recipe, test a plugin and read a whole closed loop, with numpy alone."""
