"""Composed evidence: each fault of the path to the PBX, as every vantage would show it, in many wordings."""
