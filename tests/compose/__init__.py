"""Does the compose set-up hold what its files promise?"""
