"""python -m bench.verdicts"""

import sys

from bench.verdicts.command import main

sys.exit(main(sys.argv[1:]))
