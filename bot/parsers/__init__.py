"""From anything a user sends to readings: every parser looks at the page, the claims are put in text order.

A parser module has `parse(page, context) -> list[Claim]`, is pure and total, and never raises.
"""
