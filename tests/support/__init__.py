"""What several levels of tests need."""
