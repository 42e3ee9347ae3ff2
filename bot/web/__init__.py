"""The staff's review page: what Datasette is told, and nothing else of the house speaks it."""
