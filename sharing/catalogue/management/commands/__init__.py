"""Which commands of manage.py load code tables?"""
