/** What every Lambda test begins with: a server, clients, an execution role, and functions made from source text. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput, InvokeCommandInput } from "@aws-sdk/client-lambda";
import { clientOptions, startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";

export const ACCOUNT = "000000000000";
export const RUNTIME = "nodejs24.x";
export const WAIT = { maxWaitTime: 120, minDelay: 0.05, maxDelay: 0.5 };
/** Answers what it was given, with the parts of its context that tests look at. */
export const ECHO = `export const handler = async (event, context) => ({
  event, arn: context.invokedFunctionArn, version: context.functionVersion, requestId: context.awsRequestId,
  client: context.clientContext, greeting: process.env.GREETING,
});`;

export interface Setting {
  readonly server: TestServer;
  readonly lambda: LambdaClient;
  readonly iam: IAMClient;
  readonly role: string;
  /** Creates a function from `index.mjs`'s text and waits until it is active. Answers its name. */
  create(source: string, more?: Partial<CreateFunctionCommandInput>): Promise<string>;
  invoke(name: string, event?: unknown, more?: Partial<InvokeCommandInput>): Promise<Invoked>;
  updated(name: string): Promise<void>;
}

export interface Invoked {
  readonly value: unknown;
  readonly error: string | undefined;
  readonly version: string | undefined;
  readonly log: string;
}

let names = 0;

export async function startSetting(config: Parameters<typeof startServer>[0] = {}): Promise<Setting> {
  const server = await startServer(config);
  return { server, ...(await settle(server.endpoint)) };
}

/** Clients and a role on a server that runs already. */
export async function settle(endpoint: string): Promise<Omit<Setting, "server">> {
  const options = clientOptions(endpoint);
  const lambda = new LambdaClient(options);
  const iam = new IAMClient(options);
  const role = await makeRole(iam, "execution");
  return {
    lambda,
    iam,
    role,
    async create(source, more = {}) {
      const FunctionName = more.FunctionName ?? `function-${++names}`;
      await lambda.send(
        new CreateFunctionCommand({
          Runtime: RUNTIME,
          Role: role,
          Handler: "index.handler",
          Code: { ZipFile: await zipOf({ "index.mjs": source }) },
          ...more,
          FunctionName,
        }),
      );
      await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName });
      return FunctionName;
    },
    async invoke(FunctionName, event, more = {}) {
      const answer = await lambda.send(
        new InvokeCommand({
          FunctionName,
          ...(event === undefined ? {} : { Payload: JSON.stringify(event) }),
          ...more,
        }),
      );
      const text = answer.Payload?.transformToString() ?? "";
      return {
        value: text === "" ? undefined : (JSON.parse(text) as unknown),
        error: answer.FunctionError,
        version: answer.ExecutedVersion,
        log: Buffer.from(answer.LogResult ?? "", "base64").toString(),
      };
    },
    async updated(FunctionName) {
      await waitUntilFunctionUpdatedV2({ client: lambda, ...WAIT }, { FunctionName });
    },
  };
}

/** A role that Lambda may assume and that may write logs; or one that neither is true of. */
export async function makeRole(iam: IAMClient, name: string, service = "lambda.amazonaws.com", logs = true) {
  const Version = "2012-10-17";
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Version,
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      }),
    }),
  );
  if (logs)
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: "logs",
        PolicyDocument: JSON.stringify({
          Version,
          Statement: [{ Effect: "Allow", Action: "logs:*", Resource: "*" }],
        }),
      }),
    );
  return Role?.Arn ?? "";
}
