"""Which commands concern deadlines?"""
