"""Does what happens on an incident happen as it should?"""
