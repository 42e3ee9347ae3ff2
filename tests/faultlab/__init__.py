"""The fault laboratory: a user's PC, a router and the PBX's host as network namespaces, real parts, real faults."""
