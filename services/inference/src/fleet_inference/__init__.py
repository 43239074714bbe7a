"""Inference service: materialised pipelines and inference."""
