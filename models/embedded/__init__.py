"""A real MongoDB beside the service, for trying out, development and tests; never for production.

The binary comes from a package. It listens on loopback only, with authorization on from its first
day. All it has lives in one folder that only its owner may read:

    lock          held while a Fieldward uses the folder
    server.json   port and credentials: root, which sets the server up, and the users of `models.privileges` (0600)
    keyfile       what the members of its replica set would share (0600)
    log           what the server said since its last start
    db/           the data
"""

from models.embedded.binary import find_mongod
from models.embedded.parent import die_with_parent
from models.embedded.server import Embedded, running_addresses
from models.embedded.users import DATABASE, KEYSTORE_DATABASE

__all__ = ["DATABASE", "KEYSTORE_DATABASE", "Embedded", "die_with_parent", "find_mongod", "running_addresses"]
