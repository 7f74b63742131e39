"""Which screens must hear of it?"""
