"""The arguments and results of operations: plain data without any I/O."""
