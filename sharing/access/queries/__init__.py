"""What does an actor see, and what may they do?"""
