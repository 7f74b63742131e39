"""Who may do what, over every operation there is?"""
