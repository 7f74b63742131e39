"""How are secrets stored that nobody has to remember?"""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class RandomSecretHasher(PBKDF2PasswordHasher):
    """Of a secret of 256 random bits, one round of a salted hash is enough: nobody can try them all.

    The many rounds that protect passwords would cost each system half a second at every token.
    """

    algorithm = "random_sha256"
    iterations = 1
