"""Which words do templates have for live regions?"""
