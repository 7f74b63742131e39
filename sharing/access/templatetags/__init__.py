"""What do all templates use without asking for it?"""
