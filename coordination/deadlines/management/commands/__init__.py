"""Which commands concern deadlines? One file each."""
