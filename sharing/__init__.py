"""How do departments share what they know?"""
