"""`python -m mlops_ci_serving BUNDLE`: serve a bundle over HTTP."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Nothing of the bundle is read yet: who asks for it to be read again by now has what was asked for.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Where a link to the folder is moved later, nothing is imported from there that nobody has compared.
    sys.path[:] = [str(Path(each).resolve()) if Path(each).is_dir() else each for each in sys.path]
    sys.modules[str(__package__)].__path__[:] = [str(Path(__file__).resolve().parent)]

    from .command import main

    sys.exit(main(sys.argv[1:]))
