"""The client's operations as sequences of calls, without any I/O."""
