"""How long does an emergency open data, and by when is it judged? Defaults, not checked against statute."""

from coordination.config.settings.environment import number, words

MUSTER_BREAK_GLASS_MINUTES = number("MUSTER_BREAK_GLASS_MINUTES", default=60)
MUSTER_BREAK_GLASS_RENEWAL_MINUTES = number("MUSTER_BREAK_GLASS_RENEWAL_MINUTES", default=60)
# Working days: Monday to Friday but holidays, and other days that are worked (2026-10-01 …).
MUSTER_BREAK_GLASS_REVIEW_DAYS = int(number("MUSTER_BREAK_GLASS_REVIEW_DAYS", default=3))
MUSTER_HOLIDAYS = words("MUSTER_HOLIDAYS", default=[])
MUSTER_EXTRA_WORKING_DAYS = words("MUSTER_EXTRA_WORKING_DAYS", default=[])
# So often within so many days one department for the same: a rule is proposed.
MUSTER_BREAK_GLASS_RULE_USES = int(number("MUSTER_BREAK_GLASS_RULE_USES", default=3))
MUSTER_BREAK_GLASS_RULE_DAYS = int(number("MUSTER_BREAK_GLASS_RULE_DAYS", default=90))
