"""logging, print and the runtime's own error lines, in AWS's formats."""

import io
import json
import logging
import os
import sys
import time
import traceback

DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
NO_BREAK_SPACE = "\u00a0"
# The level numbers of a log frame, by those of the logging module.
FRAME_LEVELS = {0: 0, 10: 2, 20: 3, 30: 4, 40: 5, 50: 6}
# What every LogRecord has; all else was given with `extra`.
KNOWN_FIELDS = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "asctime",
    "message",
    "aws_request_id",
    "taskName",
}

_is_json = False
_request_id = None
_connection = None


def set_request_id(request_id):
    global _request_id
    _request_id = request_id


def capture_streams(connection):
    """Sends what the function prints in order with everything else."""
    global _connection
    _connection = connection
    sys.stdout = Captured(connection, sys.stdout)
    sys.stderr = Captured(connection, sys.stderr)


def write_text(text):
    _connection.log(False, 0, text.encode("utf-8", "backslashreplace"))


def setup_logging(connection):
    """Gives the root logger AWS's handler and, when configured, its level."""
    global _is_json
    _is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    logging.Formatter.converter = time.gmtime
    handler = FrameHandler(connection)
    handler.setFormatter(JsonFormatter() if _is_json else text_formatter())
    handler.addFilter(add_request_id)
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)
    root.addHandler(handler)


def log_error(connection, document):
    """The line of an error that no handler of the function caught."""
    if _is_json:
        line = {"timestamp": time.strftime(DATE_FORMAT, time.gmtime()), "log_level": "ERROR"}
        line.update(document)
        text = json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)
    else:
        text = "\n".join(error_lines(document))
    connection.log(True, FRAME_LEVELS[40], (text + "\n").encode("utf-8", "backslashreplace"))


def error_lines(document):
    described = ": ".join(part for part in (document["errorType"], document["errorMessage"]) if part)
    lines = ["[ERROR] " + described, "Traceback (most recent call last):"]
    for element in document["stackTrace"]:
        for line in element.splitlines() or [""]:
            text = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    return lines


def text_formatter():
    return logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
    )


def add_request_id(record):
    record.aws_request_id = _request_id or ""
    return True


class FrameHandler(logging.Handler):
    def __init__(self, connection):
        super().__init__()
        self._connection = connection

    def emit(self, record):
        try:
            level = FRAME_LEVELS[min(50, max(0, record.levelno)) // 10 * 10]
            self._connection.log(True, level, self.format(record).encode("utf-8", "backslashreplace"))
        except Exception:
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    def format(self, record):
        error = record.exc_info if record.exc_info and record.exc_info[0] else None
        line = {
            "timestamp": time.strftime(DATE_FORMAT, time.gmtime(record.created)),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(error[2]) if error else None,
            "errorType": error[0].__name__ if error else None,
            "errorMessage": str(error[1]) if error else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if error else None,
        }
        for key, value in record.__dict__.items():
            if key not in KNOWN_FIELDS and key not in line:
                line[key] = value
        known = {key: value for key, value in line.items() if value is not None}
        return json.dumps(known, ensure_ascii=False, default=str) + "\n"


class Captured(io.TextIOBase):
    """A text stream whose writes become log frames; its `buffer` takes bytes in the same way."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, connection, original):
        super().__init__()
        self._connection = connection
        self._original = original
        self.buffer = CapturedBytes(connection)

    def write(self, text):
        self._connection.log(False, 0, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def writable(self):
        return True

    def fileno(self):
        # A child process inherits the real stream.
        return self._original.fileno()

    def isatty(self):
        return False

    def flush(self):
        pass


class CapturedBytes(io.RawIOBase):
    def __init__(self, connection):
        super().__init__()
        self._connection = connection

    def write(self, data):
        self._connection.log(False, 0, bytes(data))
        return len(data)

    def writable(self):
        return True
