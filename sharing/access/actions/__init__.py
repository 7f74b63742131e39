"""How do grants and visibility come and go?"""
