"""What data is there, on what terms?"""
