"""A stand-in for the PBX, written in JavaScript as the real one, alone or under real pm2."""
