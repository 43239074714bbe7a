"""The main job on a real file: train, infer, judge, draw. Needs the extra `demo`.

Run as ``python -m cuvis_fleet.demo``.
"""
