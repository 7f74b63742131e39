"""What does the demo city look like, and what happens in it?"""
