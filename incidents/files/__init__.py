"""Which files are taken in, and how are they handed out again?"""
