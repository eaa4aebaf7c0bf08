/** Where a service differs from its model, as data; each entry says why. */

/**
 * Outputs whose one member is the document element. Smithy's `s3UnwrappedXmlOutput` trait is not in the SDK's
 * schemas; without it boto3 and the AWS CLI read null.
 */
export const unwrappedOutputs: Readonly<Record<string, string>> = {
  GetBucketLocationOutput: "LocationConstraint",
};

/** Statuses of errors that the model leaves at the default of 400, by service and code. */
export const errorStatuses: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // HeadBucket and HeadObject answer 404; the shape has no httpError trait.
  s3: { NotFound: 404 },
};

/** Services whose resources may let anyone in: who is nobody is not refused before their policies are asked. */
export const anonymousServices: readonly string[] = ["s3", "sqs", "sns"];

/**
 * What errors that no model knows are called in the query protocol, and in the header that tells its codes, where a service that came from
 * that protocol calls them otherwise in JSON.
 */
export const queryCodes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sqs: {
    InvalidParameterValueException: "InvalidParameterValue",
    MissingRequiredParameterException: "MissingParameter",
    AccessDeniedException: "AccessDenied",
  },
};

/** What the query protocol says where JSON says it otherwise, by service and the words of JSON. */
export const queryMessages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sqs: {
    "The specified queue does not exist.": "The specified queue does not exist for this wsdl version.",
  },
};

/**
 * The member that the path stands for in the query protocol, where the form does not name it: older SDKs, and URLs that people write, send
 * to the URL of the queue. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
 */
export const pathMembers: Readonly<Record<string, { readonly name: string; readonly path: RegExp }>> = {
  sqs: { name: "QueueUrl", path: /^\/\d{12}\/[A-Za-z0-9_.-]{1,80}\/?$/ },
};

/** First parts of paths that are of no service that is here, by what they are of; they would be taken for the names of buckets. */
export const otherRoots: Readonly<Record<string, string>> = {
  v20180820: "S3 Control (settings of accounts, access points, batch operations)",
};

/** Operations that AWS lets anyone call: what they are given, not who asks, decides. */
export const anonymousOperations: Readonly<Record<string, readonly string[]>> = {
  sts: ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"],
  "cognito-identity-provider": [
    "AssociateSoftwareToken",
    "ChangePassword",
    "ConfirmDevice",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "ForgetDevice",
    "ForgotPassword",
    "GetDevice",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GlobalSignOut",
    "InitiateAuth",
    "ListDevices",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SetUserMFAPreference",
    "SetUserSettings",
    "SignUp",
    "UpdateAuthEventFeedback",
    "UpdateDeviceStatus",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
  ],
};

/** The code of a request that breaks the model's constraints, where it is not ValidationException (or ValidationError). */
export const validationCodes: Readonly<Record<string, string>> = {
  "cloudwatch-logs": "InvalidParameterException",
  cloudwatch: "ValidationError",
  "cognito-identity-provider": "InvalidParameterException",
  ecr: "InvalidParameterException",
  "api-gateway": "BadRequestException",
  apigatewayv2: "BadRequestException",
  xray: "InvalidRequestException",
};

/**
 * What the front door does not check, by service and `Structure.Member` (`*`: all of the service), with the reason.
 * The service then answers in words of its own.
 */
export const unvalidated: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  s3: { "*": "S3 has a code of its own for each kind of bad request, and no text about constraints" },
  sqs: {
    "*": "SQS answers in its own words: Value 20 for parameter MaxNumberOfMessages is invalid. Reason: …",
  },
  dynamodb: {
    "CreateTableInput.TableName": "the operations on tables say that the parameter is required",
    "DeleteTableInput.TableName": "as for CreateTable",
    "DescribeTableInput.TableName": "as for CreateTable",
  },
  codedeploy: { "*": "CodeDeploy has an error for each member: ApplicationNameRequiredException, …" },
  lambda: {
    "CreateFunctionRequest.Runtime":
      "answered with InvalidParameterValueException, and retired runtimes have words of their own",
    "UpdateFunctionConfigurationRequest.Runtime": "as for CreateFunction",
  },
};

/**
 * The order in which a service's messages list the values of an enumeration, where it is not the model's. An entry
 * stands for the enumeration with the same values.
 */
export const enumOrders: Readonly<Record<string, readonly (readonly string[])[]>> = {
  // DynamoDB lists them in the order of a hash table.
  dynamodb: [
    ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"],
    ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"],
    ["B", "N", "S"],
    ["ALL", "INCLUDE", "KEYS_ONLY"],
    ["OR", "AND"],
    [
      "IN",
      "NULL",
      "BETWEEN",
      "LT",
      "NOT_CONTAINS",
      "EQ",
      "GT",
      "NOT_NULL",
      "NE",
      "LE",
      "BEGINS_WITH",
      "GE",
      "CONTAINS",
    ],
  ],
};
