"""Do the pages show and do what they should?"""
