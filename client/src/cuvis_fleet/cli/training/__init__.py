"""Following trainings, and their views in the terminal."""
