"""What is the stream of an audience called?"""

SYSTEM = "system"
ACCESS_LOG = "access-log"
"""No audience reads it: the chain of seals over who read what."""


def incident(incident_id: int) -> str:
    """Read by those who see all of an incident (reach 3)."""
    return f"incident:{incident_id}"


def brief(incident_id: int) -> str:
    """Read by those who see an incident's headline and their own part (reach 1 and 2)."""
    return f"incident:{incident_id}:brief"


def department(department_id: int) -> str:
    """What is a department's own."""
    return f"department:{department_id}"


def dataset(dataset_id: int) -> str:
    """What becomes of a dataset's records and of who may have them; read by whoever holds it now."""
    return f"dataset:{dataset_id}"


def user(person_id: int) -> str:
    """One person's notices."""
    return f"user:{person_id}"
