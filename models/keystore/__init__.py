"""The key store: a database of its own that holds wrapped keys, and one worker's view of it."""

from models.keystore.documents import KEY_DOCUMENTS
from models.keystore.keys import Keys
from models.keystore.region import KeysUnavailable

__all__ = ["KEY_DOCUMENTS", "Keys", "KeysUnavailable"]
