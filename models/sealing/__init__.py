"""Sealing personal documents on their way into the database, and opening them on their way out."""

from models.sealing.plan import INDEX_SUFFIX, Plan
from models.sealing.sealer import Sealer

__all__ = ["INDEX_SUFFIX", "Plan", "Sealer"]
