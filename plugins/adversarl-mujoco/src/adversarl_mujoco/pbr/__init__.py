"""The renderer ``pbr``: MuJoCo's abstract scenes drawn by Filament, its physically based renderer, on Vulkan."""
