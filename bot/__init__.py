"""The diagnosis: evidence and measurements in, one next step out. No Telegram, no Uzbek."""
