"""Are the shared code tables whole?"""
