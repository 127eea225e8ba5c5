"""Masking of personal data for display (C12): the same in pages, API, PDF and spreadsheets.

Masking hides what a reader does not need; it is no protection of stored data.
"""


def mask_name(name: str) -> str:
    """First and last character of a name, the rest starred: 仲*妮; of two characters the first (仲*)."""
    if len(name) <= 2:
        return name[:1] + "*" * len(name[1:])
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(number: str) -> str:
    """First three and last four digits: 186****1402; shorter than eight characters all is starred."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "*" * len(number)


def mask_cert(number: str) -> str:
    """First six and last four characters of a long certificate number, first and last of one up to ten."""
    head, tail = (6, 4) if len(number) > 10 else (1, 1)
    if len(number) <= head + tail:
        return "*" * len(number)
    return number[:head] + "*" * (len(number) - head - tail) + number[-tail:]


def mask_email(address: str) -> str:
    """First three characters of the mailbox (of up to three the first) and the domain: zho***@example.cn."""
    mailbox, at, domain = address.partition("@")
    shown = mailbox[:3] if len(mailbox) > 3 else mailbox[:1]
    return f"{shown}***{at}{domain}" if address else ""
