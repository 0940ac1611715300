"""Learners on Stable-Baselines3: `ppo` with teacher distillation, `sac`, `td3`; exporter `onnx`."""
