/** What Lambda's requests need of the caller's policies, and what functions' own policies grant. */
import { authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  RequirementTable,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Reader } from "../../store/database.ts";
import type { Catalogue } from "./catalogue.ts";
import { configArn, readConfigArn } from "./code-signing-configs.ts";
import type { Client } from "./deps.ts";
import { layerArn, readLayerName, readLayerVersionArn } from "./layer-names.ts";
import {
  LATEST,
  functionArn,
  mappingArn,
  readFunctionArn,
  readFunctionName,
  readMappingArn,
} from "./names.ts";
import type { ResourcePolicies } from "./ports.ts";
import { askFunction, askLayer } from "./resource-policies.ts";
import { INVOKE_URL } from "./urls/url-host.ts";

interface Named {
  readonly FunctionName?: string | undefined;
  readonly Qualifier?: string | undefined;
}

const anywhere = (_input: object, { operation }: RequestContext): Requirement[] => [
  { action: `lambda:${operation}`, resource: "*" },
];

/** The function, with the qualifier that the request names. */
function onQualified(input: Named, context: RequestContext): Requirement[] {
  return [{ action: `lambda:${context.operation}`, resource: qualifiedArn(input, context) }];
}

/** Every way to invoke is one action. */
function onInvoked(input: Named, context: RequestContext): Requirement[] {
  return [{ action: "lambda:InvokeFunction", resource: qualifiedArn(input, context) }];
}

/** The whole function; `$LATEST`, which these operations may be told, is that too. */
function onFunction(input: Named, context: RequestContext): Requirement[] {
  return [{ action: `lambda:${context.operation}`, resource: wholeArn(input, context) }];
}

function onMapping({ UUID = "" }: { UUID?: string | undefined }, context: RequestContext): Requirement[] {
  const { account, region, operation } = context;
  return [{ action: `lambda:${operation}`, resource: mappingArn({ account, region, uuid: UUID }) }];
}

function onSigningConfig(
  { CodeSigningConfigArn = "" }: { CodeSigningConfigArn?: string | undefined },
  context: RequestContext,
): Requirement[] {
  return [{ action: `lambda:${context.operation}`, resource: oneForm(CodeSigningConfigArn) }];
}

/** Which configuration of code signing a function gets, where the request says so. */
function signingConditions(arn: string | undefined): ConditionValues {
  return arn ? { "lambda:codesigningconfigarn": arn } : {};
}

/** The ARN of what carries tags, in one form always, since policies compare text. */
function oneForm(arn: string): string {
  const reference = readFunctionArn(arn);
  const config = readConfigArn(arn);
  const mapping = readMappingArn(arn);
  if (reference) return functionArn(reference);
  if (mapping) return mappingArn(mapping);
  return config ? configArn(config) : "*";
}

function onTagged(
  arn: string | undefined,
  context: RequestContext,
  conditions: ConditionValues,
): Requirement[] {
  return [{ action: `lambda:${context.operation}`, resource: oneForm(arn ?? ""), conditions }];
}

function onPolicyOf(input: { ResourceArn?: string | undefined }, context: RequestContext): Requirement[] {
  return onQualified({ FunctionName: input.ResourceArn }, context);
}

function onUrlConfig(
  input: Named & { AuthType?: string | undefined },
  context: RequestContext,
): Requirement[] {
  const conditions = input.AuthType && { conditions: { "lambda:functionurlauthtype": input.AuthType } };
  return onQualified(input, context).map((one) => ({ ...one, ...conditions }));
}

interface NamedLayer {
  readonly LayerName?: string | undefined;
  readonly VersionNumber?: number | undefined;
}

function onLayerVersion({ LayerName, VersionNumber }: NamedLayer, context: RequestContext): Requirement[] {
  const layer = layerArn(readLayerName(LayerName ?? "", context));
  return [{ action: `lambda:${context.operation}`, resource: `${layer}:${VersionNumber}` }];
}

/** Whoever gives a function a layer must be allowed to read it. */
function readLayers(arns: readonly string[] | undefined): Requirement[] {
  return (arns ?? []).map((resource) => ({ action: "lambda:GetLayerVersion", resource }));
}

/** Which layers a function gets, where the request says so. */
function layerConditions(arns: readonly string[] | undefined): ConditionValues {
  return arns === undefined ? {} : { "lambda:layer": arns };
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html */
const table: RequirementTable<Client> = {
  AddLayerVersionPermission: onLayerVersion,
  AddPermission: (input, context) =>
    onQualified(input, context).map((one) => ({
      ...one,
      conditions: {
        "lambda:principal": input.Principal ?? "",
        ...(input.FunctionUrlAuthType && { "lambda:functionurlauthtype": input.FunctionUrlAuthType }),
      },
    })),
  CreateAlias: onFunction,
  CreateCodeSigningConfig: (input, context) =>
    anywhere(input, context).map((one) => ({ ...one, conditions: tagConditions(input.Tags) })),
  CreateEventSourceMapping: (input, context) =>
    anywhere(input, context).map((one) => ({
      ...one,
      conditions: { "lambda:functionarn": qualifiedArn(input, context), ...tagConditions(input.Tags) },
    })),
  CreateFunctionUrlConfig: onUrlConfig,
  CreateFunction: (input, context) => [
    ...onFunction(input, context).map((one) => ({
      ...one,
      conditions: {
        ...tagConditions(input.Tags),
        ...layerConditions(input.Layers),
        ...signingConditions(input.CodeSigningConfigArn),
      },
    })),
    ...passRole(input, context),
    ...readCode(input.Code),
    ...readLayers(input.Layers),
    ...tagged(input, context),
  ],
  DeleteAlias: onFunction,
  DeleteFunction: (input, context) =>
    versionOf(input, context) === LATEST ? onFunction(input, context) : onQualified(input, context),
  DeleteCodeSigningConfig: onSigningConfig,
  DeleteEventSourceMapping: onMapping,
  DeleteFunctionCodeSigningConfig: onFunction,
  DeleteFunctionConcurrency: onFunction,
  DeleteFunctionEventInvokeConfig: onQualified,
  DeleteFunctionUrlConfig: onUrlConfig,
  DeleteLayerVersion: onLayerVersion,
  DeleteProvisionedConcurrencyConfig: onQualified,
  DeleteResourcePolicy: onPolicyOf,
  GetAccountSettings: anywhere,
  GetAlias: onFunction,
  GetFunction: onQualified,
  GetCodeSigningConfig: onSigningConfig,
  GetEventSourceMapping: onMapping,
  GetFunctionCodeSigningConfig: onFunction,
  GetFunctionConcurrency: onFunction,
  GetFunctionConfiguration: onQualified,
  GetFunctionEventInvokeConfig: onQualified,
  GetFunctionRecursionConfig: onFunction,
  GetFunctionUrlConfig: onUrlConfig,
  GetLayerVersion: onLayerVersion,
  GetLayerVersionByArn: ({ Arn = "" }) => readLayers([Arn]),
  GetLayerVersionPolicy: onLayerVersion,
  GetPolicy: onQualified,
  GetProvisionedConcurrencyConfig: onQualified,
  GetResourcePolicy: onPolicyOf,
  GetRuntimeManagementConfig: onQualified,
  Invoke: onInvoked,
  InvokeAsync: onInvoked,
  InvokeWithResponseStream: onInvoked,
  ListAliases: onFunction,
  ListEventSourceMappings: anywhere,
  ListFunctionEventInvokeConfigs: onFunction,
  ListFunctionUrlConfigs: onFunction,
  ListCodeSigningConfigs: anywhere,
  ListFunctions: anywhere,
  ListFunctionsByCodeSigningConfig: onSigningConfig,
  ListLayerVersions: anywhere,
  ListLayers: anywhere,
  ListProvisionedConcurrencyConfigs: onFunction,
  ListTags: (input, context) => onTagged(input.Resource, context, {}),
  ListVersionsByFunction: onFunction,
  PublishLayerVersion: ({ LayerName = "", Content }, context) => [
    { action: "lambda:PublishLayerVersion", resource: layerArn(readLayerName(LayerName, context)) },
    ...readCode(Content),
  ],
  PublishVersion: onFunction,
  PutFunctionCodeSigningConfig: (input, context) =>
    [...onFunction(input, context), ...onSigningConfig(input, context)].map((one) => ({
      ...one,
      conditions: signingConditions(input.CodeSigningConfigArn),
    })),
  PutFunctionConcurrency: onFunction,
  PutFunctionEventInvokeConfig: onQualified,
  PutProvisionedConcurrencyConfig: onQualified,
  PutFunctionRecursionConfig: onFunction,
  PutResourcePolicy: onPolicyOf,
  PutRuntimeManagementConfig: onQualified,
  RemoveLayerVersionPermission: onLayerVersion,
  RemovePermission: onQualified,
  TagResource: (input, context) => onTagged(input.Resource, context, tagConditions(input.Tags)),
  UntagResource: (input, context) => onTagged(input.Resource, context, tagKeyConditions(input.TagKeys)),
  UpdateAlias: onFunction,
  UpdateCodeSigningConfig: onSigningConfig,
  UpdateEventSourceMapping: onMapping,
  UpdateFunctionCode: (input, context) => [...onFunction(input, context), ...readCode(input)],
  UpdateFunctionConfiguration: (input, context) => [
    ...onFunction(input, context).map((one) => ({ ...one, conditions: layerConditions(input.Layers) })),
    ...passRole(input, context),
    ...readLayers(input.Layers),
  ],
  UpdateFunctionEventInvokeConfig: onQualified,
  UpdateFunctionUrlConfig: onUrlConfig,
};

/** What root may do whatever a policy says, or nobody could ever undo a policy that denies everyone everything. */
const ROOT_MAY: ReadonlySet<string> = new Set([
  "DeleteResourcePolicy",
  "GetPolicy",
  "GetResourcePolicy",
  "PutResourcePolicy",
  "RemovePermission",
]);

interface Deps {
  readonly database: Reader;
  readonly policies: ResourcePolicies;
  readonly catalogue: Pick<Catalogue, "denies">;
}

/** Lambda's part in deciding who may do what. */
export function authorization({ database, policies, catalogue }: Deps): ServiceAuthorization {
  const byOperation = authorizationFrom(table);
  const places = { policies, reader: database };
  return {
    operations: byOperation.operations,
    bindsRoot: true,
    requirements: (operation, input, context) =>
      operation === INVOKE_URL
        ? onUrl(String(input["resource"]))
        : byOperation.requirements(operation, input, context),
    async resourceGrant({ action, resource, conditions }, { principal, operation }) {
      const layer = readLayerVersionArn(resource);
      const reference = readFunctionArn(resource);
      if (principal.type === "root") {
        // Nothing grants root anything, so most functions' policies need no look.
        if (!reference || !(await catalogue.denies(reference))) return "none";
        if (ROOT_MAY.has(operation) && principal.account === reference.account) return "none";
      }
      const answer = layer
        ? await askLayer(places, layer, action, principal)
        : reference && (await askFunction(places, reference, action, principal, conditions));
      // Naming the account grants nothing by itself: the caller's own policies must allow the action then.
      return answer === undefined || answer === "account" ? "none" : answer;
    },
  };
}

/** Whoever calls the URL of a function must be allowed to, and to invoke it that way. */
function onUrl(resource: string): Requirement[] {
  const auth = { "lambda:functionurlauthtype": "AWS_IAM" };
  return [
    { action: "lambda:InvokeFunctionUrl", resource, conditions: auth },
    { action: "lambda:InvokeFunction", resource, conditions: { "lambda:invokedviafunctionurl": "true" } },
  ];
}

function qualifiedArn(input: Named, context: RequestContext): string {
  const reference = readFunctionName(input.FunctionName ?? "", input.Qualifier, context);
  return functionArn(reference, reference.qualifier);
}

function wholeArn({ FunctionName }: Named, context: RequestContext): string {
  return functionArn(readFunctionName(FunctionName ?? "", undefined, context));
}

function versionOf({ FunctionName, Qualifier }: Named, context: RequestContext): string {
  return readFunctionName(FunctionName ?? "", Qualifier, context).qualifier ?? LATEST;
}

/** Whoever gives a function a role must be allowed to hand that role on. */
function passRole(input: Named & { Role?: string | undefined }, context: RequestContext): Requirement[] {
  if (input.Role === undefined) return [];
  const conditions = {
    "iam:passedtoservice": "lambda.amazonaws.com",
    "iam:associatedresourcearn": wholeArn(input, context),
  };
  return [{ action: "iam:PassRole", resource: input.Role, conditions }];
}

interface StoredCode {
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
}

/** Code in S3 is read with the caller's permissions. */
function readCode(code: StoredCode | undefined): Requirement[] {
  if (code?.S3Bucket === undefined) return [];
  const { S3Bucket, S3Key = "", S3ObjectVersion } = code;
  return [
    {
      action: S3ObjectVersion === undefined ? "s3:GetObject" : "s3:GetObjectVersion",
      resource: `arn:aws:s3:::${S3Bucket}/${S3Key}`,
      ...(S3ObjectVersion !== undefined && { conditions: { "s3:versionid": S3ObjectVersion } }),
      refusal:
        "Your access has been denied by S3, please make sure your request credentials have permission to GetObject " +
        `for ${S3Bucket}/${S3Key}. S3 Error Code: AccessDenied. S3 Error Message: Access Denied`,
    },
  ];
}

function tagged(
  input: Named & { Tags?: Record<string, string> | undefined },
  context: RequestContext,
): Requirement[] {
  if (Object.keys(input.Tags ?? {}).length === 0) return [];
  const resource = wholeArn(input, context);
  return [{ action: "lambda:TagResource", resource, conditions: tagConditions(input.Tags) }];
}
