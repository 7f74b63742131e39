"""Which people must hear of it, and how?"""
