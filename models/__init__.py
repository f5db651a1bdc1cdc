"""What is held about people, how it is stored, and the only way to read it."""

import os
from typing import Final

# Motor reads its number of threads from the environment, once, when it is first imported, and every
# module below imports it through Beanie. Its default (5 per core) is less than the connection pool, so
# calls would queue in front of idle connections. Kept equal to the pool; an operator's value wins.
POOL_SIZE: Final = 64
os.environ.setdefault("MOTOR_MAX_WORKERS", str(POOL_SIZE))
