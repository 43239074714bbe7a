"""The adapter for node classes that follow the published contract without subclassing `Node`."""
