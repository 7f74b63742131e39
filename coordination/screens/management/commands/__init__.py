"""Which commands does this room add?"""
