"""What does a whole page show?"""
