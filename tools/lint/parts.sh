#!/bin/sh
# Whatever is linked or built into wave has a row in packaging/parts.json, and NOTICE is what that table says.
exec python3 packaging/check_parts.py
