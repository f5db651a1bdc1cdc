"""The one place that talks to MongoDB; nothing outside this package imports the driver."""

from models.database.connection import TIMEOUT, Raw, Session
from models.database.encoding import to_bson
from models.database.rows import Database
from models.registry import DOCUMENTS

__all__ = ["DOCUMENTS", "TIMEOUT", "Database", "Raw", "Session", "to_bson"]
