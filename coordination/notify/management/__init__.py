"""Which commands concern messages?"""
