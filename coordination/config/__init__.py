"""How is it wired?"""
