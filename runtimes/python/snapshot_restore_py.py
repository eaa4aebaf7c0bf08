"""The hooks of SnapStart, as AWS's runtimes have them: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html"""

__all__ = ["register_before_snapshot", "register_after_restore"]

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Calls `func` before a snapshot is taken; the hook that was registered last is called first. Usable as a decorator."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Calls `func` after each restore, in the order of registration. Usable as a decorator."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before_snapshot


def get_after_restore():
    return _after_restore
