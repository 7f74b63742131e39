"""Does everything promised hold while processes are killed?"""
