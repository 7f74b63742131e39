"""Which fields does each act of the closed loop take?"""
