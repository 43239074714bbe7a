"""``python -m cuvis_fleet.cli``: the same as ``cuvis-fleet``."""

from cuvis_fleet.cli.entry import main

if __name__ == "__main__":
    main()
