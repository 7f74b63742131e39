"""Which pages belong to signing in and to one's own sessions?"""
