"""`python -m house_pricing.train`."""

import sys

from house_pricing.train.cli import main

sys.exit(main())
