"""The pool of worker processes, as the trainer sees it."""
