"""How do all processes start, stay up and stop, with nothing installed but Python?"""
