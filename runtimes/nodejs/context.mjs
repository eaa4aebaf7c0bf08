/** The context object, the handler's second argument. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */

/** @param completion `done`, `succeed` and `fail`, which Node 22's runtime still has. */
export function createContext(invocation, completion = {}) {
  return {
    ...completion,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse(invocation.clientContext),
    identity: parse(invocation.cognitoIdentity),
    invokedFunctionArn: invocation.functionArn,
    awsRequestId: invocation.requestId,
    tenantId: undefined,
    getRemainingTimeInMillis: () => invocation.deadline - Date.now(),
  };
}

function parse(json) {
  return json === "" ? undefined : JSON.parse(json);
}
