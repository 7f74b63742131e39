"""Who gets in, and what may strangers do?"""
