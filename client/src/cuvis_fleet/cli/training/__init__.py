"""Following training runs, and their views in the terminal."""
