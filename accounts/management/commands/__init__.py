"""Which commands does this room give the operators?"""
