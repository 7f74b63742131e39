"""Which commands of manage.py belong to the wiring?"""
