"""The complete workflow on a file: train, infer, evaluate, draw. Needs the extra `demo`.

Run as ``python -m cuvis_fleet.demo``.
"""
