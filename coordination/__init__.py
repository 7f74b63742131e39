"""How do departments act together?"""
