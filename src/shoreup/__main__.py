"""``python -m shoreup`` is ``shoreup``.

Except that Python then looks for modules in the current folder first, which may be a stranger's estate: a ``yaml.py``
there would be run in place of the library. So that folder is taken off the search, before anything else is imported.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    if sys.path and sys.path[0] == str(Path.cwd()) and not Path(__file__).is_relative_to(sys.path[0]):
        del sys.path[0]

    from shoreup.cli.main import main

    main()
