"""Who must do what, and is it done?"""
