"""The context object, the handler's second argument. https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

import json
import os
import time

from lambent_fault import Fault
from lambent_logging import write_text


class LambdaContext:
    def __init__(self, invocation):
        self.aws_request_id = invocation.request_id
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invocation.function_arn
        self.tenant_id = None
        self.client_context = client_context(parse(invocation.client_context, "Client Context"))
        self.identity = CognitoIdentity(parse(invocation.cognito_identity, "Cognito Identity") or {})
        self._epoch_deadline_time_in_ms = int(invocation.deadline)

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, msg):
        write_text(str(msg))

    def __repr__(self):
        return described(self, [name for name in self.__dict__ if not name.startswith("_") and name != "tenant_id"])


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return described(self, self.__slots__)


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return described(self, self.__slots__)


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = None if values.get("client") is None else Client(values["client"])

    def __repr__(self):
        return described(self, self.__slots__)


def client_context(values):
    return None if values is None else ClientContext(values)


def parse(text, name):
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, error))


def described(value, names):
    return "%s([%s])" % (type(value).__name__, ",".join("%s=%s" % (name, getattr(value, name)) for name in names))
