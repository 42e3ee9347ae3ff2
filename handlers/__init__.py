"""Telegram: the only room in which it is spoken."""
