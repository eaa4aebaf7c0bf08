/** Operations of Lambda that are refused by name, and the shape of every error that the API has. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CheckpointDurableExecutionCommand,
  CreateCapacityProviderCommand,
  DeleteCapacityProviderCommand,
  GetCapacityProviderCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  GetFunctionScalingConfigCommand,
  ListCapacityProvidersCommand,
  ListDurableExecutionsByFunctionCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  PutFunctionScalingConfigCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  UpdateCapacityProviderCommand,
} from "@aws-sdk/client-lambda";
import type { LambdaServiceException } from "@aws-sdk/client-lambda";
import * as lambda from "@aws-sdk/client-lambda";
import { AwsError } from "../../src/aws/errors.ts";
import { startDoor } from "../protocol/door.ts";
import type { Door } from "../protocol/door.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

type Sent = CreateCapacityProviderCommand | { readonly constructor: { readonly name: string } };

/** Each is answered 501 with its own name, whether what it asks for is there or not. */
async function refuses(...commands: readonly Sent[]): Promise<void> {
  for (const command of commands) {
    const operation = command.constructor.name.replace(/Command$/, "");
    const error = await setting.lambda.send(command as CreateCapacityProviderCommand).then(
      () => assert.fail(`${operation} was answered`),
      (reason: LambdaServiceException) => reason,
    );
    assert.deepEqual(
      [error.name, error.message, error.$metadata.httpStatusCode],
      ["NotImplemented", `Lambent does not implement Lambda ${operation}`, 501],
    );
  }
}

test("CheckpointDurableExecution, GetDurableExecution, GetDurableExecutionHistory, GetDurableExecutionState, StopDurableExecution, ListDurableExecutionsByFunction, SendDurableExecutionCallbackFailure, SendDurableExecutionCallbackHeartbeat and SendDurableExecutionCallbackSuccess are refused", async () => {
  const FunctionName = await setting.create(ECHO);
  const DurableExecutionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:1/durable-execution/name/id`;
  const CallbackId = Buffer.from("callback").toString("base64");
  await refuses(
    new CheckpointDurableExecutionCommand({ DurableExecutionArn, CheckpointToken: "dG9rZW4=" }),
    new GetDurableExecutionCommand({ DurableExecutionArn }),
    new GetDurableExecutionHistoryCommand({ DurableExecutionArn }),
    new GetDurableExecutionStateCommand({ DurableExecutionArn, CheckpointToken: "dG9rZW4=" }),
    new StopDurableExecutionCommand({ DurableExecutionArn }),
    new ListDurableExecutionsByFunctionCommand({ FunctionName }),
    new SendDurableExecutionCallbackFailureCommand({ CallbackId }),
    new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }),
    new SendDurableExecutionCallbackSuccessCommand({ CallbackId }),
  );
});

test("CreateCapacityProvider, GetCapacityProvider, UpdateCapacityProvider, DeleteCapacityProvider, ListCapacityProviders, ListFunctionVersionsByCapacityProvider, PutFunctionScalingConfig and GetFunctionScalingConfig are refused", async () => {
  const CapacityProviderName = "provider";
  const scaling = { FunctionName: "function", Qualifier: "$LATEST.PUBLISHED" };
  await refuses(
    new CreateCapacityProviderCommand({
      CapacityProviderName,
      VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: [] },
      PermissionsConfig: { CapacityProviderOperatorRoleArn: setting.role },
    }),
    new GetCapacityProviderCommand({ CapacityProviderName }),
    new UpdateCapacityProviderCommand({ CapacityProviderName }),
    new DeleteCapacityProviderCommand({ CapacityProviderName }),
    new ListCapacityProvidersCommand({}),
    new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName }),
    new PutFunctionScalingConfigCommand(scaling),
    new GetFunctionScalingConfigCommand(scaling),
  );
});

/** By status and by the name of the member that has the text; names without `Exception`. */
const ERRORS: readonly (readonly [number, "message" | "Message", string])[] = [
  [
    400,
    "Message",
    "CallbackTimeout CodeVerificationFailed InvalidCodeSignature NoPublishedVersion PublicPolicy RecursiveInvocation ResourceInUse SnapStart",
  ],
  [
    400,
    "message",
    "AliasLimitExceeded CapacityProviderLimitExceeded CodeStorageExceeded FunctionVersionsPerCapacityProviderLimitExceeded InvalidParameterValue InvalidRequestContent ModeNotSupported PolicyLengthExceeded",
  ],
  [402, "Message", "ServiceQuotaExceeded"],
  [403, "Message", "EFSMountFailure S3FilesMountFailure"],
  [404, "Message", "CodeSigningConfigNotFound ResourceNotFound"],
  [404, "message", "ProvisionedConcurrencyConfigNotFound"],
  [
    408,
    "Message",
    "EFSMountConnectivity EFSMountTimeout S3FilesMountConnectivity S3FilesMountTimeout SnapStartTimeout",
  ],
  [409, "Message", "DurableExecutionAlreadyStarted SnapStartNotReady SnapStartRegenerationFailure"],
  [409, "message", "CodeArtifactUserDeleted CodeArtifactUserFailed CodeArtifactUserPending ResourceConflict"],
  [410, "Message", "EFSIO"],
  [412, "message", "PreconditionFailed"],
  [413, "message", "RequestTooLarge SerializedRequestEntityTooLarge"],
  [415, "message", "UnsupportedMediaType"],
  [429, "message", "TooManyRequests"],
  [500, "Message", "Service"],
  [
    502,
    "Message",
    "EC2AccessDenied EC2Throttled EC2Unexpected ENILimitReached ENINotReady InvalidRuntime InvalidSecurityGroupID InvalidSubnetID InvalidZipFile KMSAccessDenied KMSDisabled KMSInvalidState KMSNotFound SubnetIPAddressLimitReached",
  ],
  [502, "message", "ResourceNotReady"],
];

test("every error of the API has its status, its type in a header, and its text under the key that AWS uses", async (t) => {
  const door: Door = await startDoor({
    services: {
      lambda: {
        GetFunction: ({ FunctionName }: { FunctionName: string }) => {
          throw new AwsError(`${FunctionName}Exception`, "what happened", { Type: "User" });
        },
      },
    },
  });
  t.after(() => door.stop());
  let seen = 0;
  for (const [status, key, names] of ERRORS)
    for (const error of names.split(" ")) {
      const path = `/2015-03-31/functions/${error}`;
      const authorization = `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0`;
      const answer = await fetch(`${door.endpoint}${path}`, { headers: { authorization } });
      const body = (await answer.json()) as Record<string, unknown>;
      const other = key === "message" ? "Message" : "message";
      assert.deepEqual(
        [answer.status, answer.headers.get("x-amzn-errortype"), body[key], body[other], body["Type"]],
        [status, `${error}Exception`, "what happened", undefined, "User"],
        error,
      );
      seen++;
    }
  const modelled = Object.keys(lambda).filter(
    (one) => one.endsWith("Exception") && !one.startsWith("Lambda"),
  );
  assert.equal(seen, modelled.length, "none is left out");
});
