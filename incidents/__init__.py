"""What is happening?"""
