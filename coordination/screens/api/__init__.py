"""What do other systems read and do about who is who, about sessions and about the log's streams?"""
