"""What does the log say of data that came in or went out?"""

from sharing.exchange.actions.leaving import exported as exported
