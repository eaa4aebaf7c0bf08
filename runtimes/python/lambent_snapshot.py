"""What a function with SnapStart does around its snapshot: its hooks, in the order in which AWS's runtime calls them."""

import json
import sys

import snapshot_restore_py
from lambent_logging import log_error

# What AWS's runtime ends with.
BEFORE_SNAPSHOT_EXIT, AFTER_RESTORE_EXIT = 64, 65


def be_saved(connection, error_document):
    """Returns in another life of this process, ready for its first invocation."""
    try:
        # The newest first, as objects are taken down.
        for function, arguments, named in reversed(snapshot_restore_py.get_before_snapshot()):
            function(*arguments, **named)
    except BaseException:
        fail(connection, error_document, "Runtime.BeforeSnapshotError", BEFORE_SNAPSHOT_EXIT)
    connection.sleep_until_restored()
    try:
        for function, arguments, named in snapshot_restore_py.get_after_restore():
            function(*arguments, **named)
    except BaseException:
        fail(connection, error_document, "Runtime.AfterRestoreError", AFTER_RESTORE_EXIT)


def fail(connection, error_document, error_type, status):
    document = error_document(*sys.exc_info())
    log_error(connection, document)
    connection.init_failed(error_type, json.dumps(document).encode("utf-8", "backslashreplace"))
    sys.exit(status)
