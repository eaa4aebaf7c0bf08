"""The Python runtime: loads the function's handler and runs one invocation after the other. Mounted at /var/runtime."""

import importlib
import json
import os
import re
import sys
import time
import traceback

from lambent_connection import Connection
from lambent_context import LambdaContext
from lambent_fault import Fault
from lambent_logging import capture_streams, log_error, set_request_id, setup_logging

# Stands for a Decimal in JSON until its digits take its place; nothing else can hold this text.
DECIMAL_MARK = "decimal-%s-" % os.urandom(16).hex()


def main():
    waits = "_LAMBENT_WAITS" in os.environ
    connection = Connection(os.environ.pop("_LAMBENT_SOCKET"))
    if waits:
        become(*wait(connection))
    capture_streams(connection)
    extend_path()
    try:
        setup_logging(connection)
        handler = get_handler(os.environ["_HANDLER"])
    except Exception:
        document = error_document(*sys.exc_info())
        log_error(connection, document)
        connection.init_failed(document["errorType"], to_json(document))
        sys.exit(1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        # Not imported for those that are never saved.
        from lambent_snapshot import be_saved

        be_saved(connection, error_document)
    connection.init_succeeded()
    while True:
        run_one(connection, handler, connection.next_invocation())


def wait(connection):
    """Of a process that was booted before it is known for which function."""
    # Not imported for those that are booted for theirs.
    from lambent_warm_up import warm_up

    warm_up(run_one)
    return connection.assignment()


def become(working_directory, environment):
    """Nothing of what this process was started with is left but what the function's has too."""
    # Python itself sets this when it starts without a locale; children of it are to see it too.
    coerced = os.environ.get("LC_CTYPE")
    os.environ.clear()
    os.environ.update(environment)
    if coerced is not None:
        os.environ.setdefault("LC_CTYPE", coerced)
    time.tzset()
    # Entered anew: the function's code was mounted over what was there.
    os.chdir(working_directory)
    # What was imported while waiting may have been looked for in folders that were empty then. (importlib.invalidate_caches would
    # first import importlib.metadata, which takes longer than all the rest.)
    sys.path_importer_cache.clear()


def run_one(connection, handler, invocation):
    """Runs one invocation. What is no Exception (SystemExit) ends the process, as on AWS."""
    request_id = invocation.request_id
    set_request_id(request_id)
    if invocation.trace_header:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_header
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        context = LambdaContext(invocation)
        result = to_response(handler(to_event(invocation.payload), context))
    except Fault as fault:
        document = make_error(fault.message, fault.error_type, fault.trace, request_id)
    except Exception:
        document = error_document(*sys.exc_info(), request_id=request_id)
    else:
        connection.respond(request_id, result)
        return
    log_error(connection, document)
    connection.fail(request_id, document["errorType"], to_json(document))


def get_handler(name):
    """The handler function. A wrong one raises its fault in each invocation, not while loading: so does AWS's runtime."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        return faulty("MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    if module_name.split(".")[0] in sys.builtin_module_names:
        return faulty(
            "BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return faulty("ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        return faulty("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        return faulty("HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def faulty(error_type, message, trace=None):
    def handler(event, context):
        raise Fault("Runtime." + error_type, message, trace)

    return handler


def to_event(payload):
    try:
        return json.loads(payload)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)


def to_response(value):
    if isinstance(value, bytes):
        return value
    try:
        return encode(value).encode("utf-8")
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def encode(value):
    """JSON as AWS's runtime writes it: a Decimal is a number with all its digits; from 3.12 on text is not escaped."""
    decimals = []

    def encode_unusual(each):
        # Not imported for those who do not use it.
        from decimal import Decimal

        if not isinstance(each, Decimal):
            raise TypeError("Object of type %s is not JSON serializable" % type(each).__name__)
        if each.is_nan():
            return float("nan")
        decimals.append(str(each))
        return "%s%d" % (DECIMAL_MARK, len(decimals) - 1)

    text = json.dumps(value, ensure_ascii=sys.version_info < (3, 12), default=encode_unusual)
    if not decimals:
        return text
    return re.sub('"%s([0-9]+)"' % DECIMAL_MARK, lambda match: decimals[int(match.group(1))], text)


def error_document(error_class, error, trace, request_id=None):
    frames = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in traceback.extract_tb(trace)]
    first = next((at for at, frame in enumerate(frames) if frame[0] != __file__), 0)
    return make_error(str(error), error_class.__name__, traceback.format_list(frames[first:]), request_id)


def make_error(message, error_type, trace, request_id=None):
    return {
        "errorMessage": message or "",
        "errorType": error_type or "",
        "requestId": request_id or "",
        "stackTrace": trace or [],
    }


def to_json(document):
    return encode(document).encode("utf-8", "backslashreplace")


def extend_path():
    """The order in which AWS's runtime looks for modules: the function, its layers, the runtime."""
    version = "python%d.%d" % sys.version_info[:2]
    # The server tells where the layers and boto3 are; without mounts that is not /opt.
    _, opt, packages = sys.argv
    del sys.argv[1:]
    # Before what the host has installed for itself, which may be another boto3.
    installed = (at for at, path in enumerate(sys.path) if path.endswith(("/site-packages", "/dist-packages")))
    sys.path.insert(next(installed, len(sys.path)), packages)
    sys.path[0:0] = [
        os.environ["LAMBDA_TASK_ROOT"],
        os.path.join(opt, "python", "lib", version, "site-packages"),
        os.path.join(opt, "python"),
    ]


if __name__ == "__main__":
    main()
