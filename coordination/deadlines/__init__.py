"""By when, and if not?"""
