"""Keeps ever more memory."""


def handler(event, context):
    kept = []
    while True:
        kept.append(b"\1" * (8 << 20))
