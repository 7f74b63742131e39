"""What shapes do incidents, reports, log and files have on their way in and out?"""
