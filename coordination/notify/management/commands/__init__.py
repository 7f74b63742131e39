"""Which commands concern messages? One file each."""
