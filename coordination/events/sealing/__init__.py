"""How is the log sealed behind its writers, anchored outside, and proven to be the one that was written?"""
