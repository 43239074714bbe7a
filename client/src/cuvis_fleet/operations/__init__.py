"""The client's operations without any I/O: which calls each makes and what it returns."""
