"""Counts the words of a text."""

import platform
import re
from collections import Counter


def handler(event, context):
    counts = Counter(re.findall(r"[^\W\d_]+", event["text"].lower()))
    words = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return {"language": f"Python {platform.python_version()}", "words": words}
