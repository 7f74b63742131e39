"""What is kept elsewhere, encrypted, so that the loss of this machine loses at most a minute?"""
