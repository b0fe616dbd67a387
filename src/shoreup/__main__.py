"""``python -m shoreup`` is ``shoreup``."""

from shoreup.cli.main import main

if __name__ == "__main__":
    main()
