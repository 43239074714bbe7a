"""Statistical fitting of nodes by streaming the data."""
