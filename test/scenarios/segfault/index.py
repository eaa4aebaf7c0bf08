"""Reads address 0."""
import ctypes


def handler(event, context):
    return ctypes.string_at(0)
