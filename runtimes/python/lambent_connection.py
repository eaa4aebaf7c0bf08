"""The bootstrap's end of the frames that src/invoke/frames.ts describes; every write is finished before it returns."""

import os
import socket
import struct
import threading
import time

VERSION = 1
HELLO, INIT_RESULT, INVOKE, RESPONSE, ERROR, LOG, READY, ASSIGN, SNAPSHOT = 1, 2, 3, 4, 5, 6, 8, 9, 24

# A response above this is not sent, only its size told; the server's own limit is lower.
RESPONSE_BYTES_MAX = 16000000
# How often a process that is about to be saved, or was, looks for the server, in seconds.
LOOK_SECONDS = 0.005


class Invocation:
    __slots__ = (
        "deadline",
        "request_id",
        "function_arn",
        "trace_header",
        "client_context",
        "cognito_identity",
        "payload",
    )

    def __init__(self, body):
        (self.deadline,) = struct.unpack_from(">d", body, 0)
        offset = 8
        for name in self.__slots__[1:-1]:
            (length,) = struct.unpack_from(">I", body, offset)
            offset += 4
            setattr(self, name, body[offset : offset + length].decode("utf-8"))
            offset += length
        self.payload = body[offset:]


class Connection:
    def __init__(self, path):
        self._path = path
        # Threads of the function may log at the same time.
        self._lock = threading.Lock()
        self._connect()

    def _connect(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(self._path)
            self._socket.sendall(frame_of(HELLO, struct.pack(">BI", VERSION, os.getpid())))
        except OSError:
            self._socket.close()
            raise
        self._reader = self._socket.makefile("rb")

    def sleep_until_restored(self):
        """Ends the connection, since none can be saved, and waits for the server to listen again: it does when this process was restored.
        What other threads write waits until then."""
        with self._lock:
            self._socket.sendall(frame_of(SNAPSHOT))
            self._reader.close()
            self._socket.close()
            while True:
                time.sleep(LOOK_SECONDS)
                try:
                    return self._connect()
                except OSError:
                    continue

    def assignment(self):
        """Says that this process waits to be told what it is for. Answers its working directory and its environment."""
        self._send(READY)
        body = self._next(ASSIGN)
        strings = []
        offset = 0
        while offset < len(body):
            (length,) = struct.unpack_from(">I", body, offset)
            # As os.environ reads what a process was started with.
            strings.append(os.fsdecode(body[offset + 4 : offset + 4 + length]))
            offset += 4 + length
        return strings[0], dict(zip(strings[1::2], strings[2::2]))

    def next_invocation(self):
        return Invocation(self._next(INVOKE))

    def _next(self, frame_type):
        while True:
            (length,) = struct.unpack(">I", self._read(4))
            frame = self._read(length)
            if frame[0] == frame_type:
                return frame[1:]

    def init_succeeded(self):
        self._send(INIT_RESULT, b"\x01", string(""))

    def init_failed(self, error_type, payload):
        self._send(INIT_RESULT, b"\x00", string(error_type), payload)

    def respond(self, request_id, payload):
        if len(payload) <= RESPONSE_BYTES_MAX:
            self._send(RESPONSE, string(request_id), payload)
            return
        message = "Response payload size (%d bytes) exceeded maximum allowed payload size (6291556 bytes)."
        document = '{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"%s"}' % (message % len(payload))
        self.fail(request_id, "Function.ResponseSizeTooLarge", document.encode("utf-8"))

    def fail(self, request_id, error_type, payload):
        self._send(ERROR, string(request_id), string(error_type), payload)

    def log(self, is_record, level, payload):
        """`is_record`: a whole record, whose line breaks are part of it; else bytes as the function wrote them."""
        self._send(LOG, struct.pack(">BB", 1 if is_record else 0, level), payload)

    def _read(self, length):
        data = self._reader.read(length)
        if data is None or len(data) < length:
            # Without the server there is no work left.
            os._exit(1)
        return data

    def _send(self, frame_type, *parts):
        frame = frame_of(frame_type, *parts)
        with self._lock:
            self._socket.sendall(frame)


def frame_of(frame_type, *parts):
    length = 1 + sum(len(part) for part in parts)
    return b"".join((struct.pack(">IB", length, frame_type),) + parts)


def string(text):
    data = text.encode("utf-8", "backslashreplace")
    return struct.pack(">I", len(data)) + data
