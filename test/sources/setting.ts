/** What tests of brokers begin with: a server that knows brokers and secrets, a role, and functions that write down what they get. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import type {
  CreateEventSourceMappingCommandInput,
  EventSourceMappingConfiguration,
} from "@aws-sdk/client-lambda";
import { makeRole } from "../harness/functions.ts";
import { clientOptions, startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";

const WAIT_MS_MAX = 30_000;
/** Writes its events down, then does as the test says for the values among them. */
const WRITER = `import { appendFileSync, existsSync, readFileSync } from "node:fs";
export const handler = async (event) => {
  appendFileSync(process.env.OUT, JSON.stringify({ event, at: Date.now() }) + "\\n");
  const plan = existsSync(process.env.PLAN) ? readFileSync(process.env.PLAN, "utf8") : "";
  return await new (Object.getPrototypeOf(async function () {}).constructor)("event", plan)(event);
};`;

export interface BrokerSetting {
  readonly server: TestServer;
  readonly lambda: LambdaClient;
  readonly role: string;
  /** Writes the file that says where ARNs' brokers are. */
  brokers(entries: object): Promise<void>;
  secrets(entries: object, mode?: number): Promise<void>;
  /** Makes a function that writes down its events. */
  writer(name: string): Promise<Writer>;
  map(functionName: string, input: Partial<CreateEventSourceMappingCommandInput>): Promise<string>;
  mapping(uuid: string): Promise<EventSourceMappingConfiguration>;
  unmap(uuid: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Writer {
  readonly name: string;
  /** Events so far, in order. */
  events(): Promise<any[]>;
  /** JavaScript that runs with `event` from now on; what it returns is the answer. */
  plan(text: string): Promise<void>;
}

/** Starts a server whose functions run as plain processes, so that what they write is there to read. */
export async function startBrokerSetting(
  more: Parameters<typeof startServer>[0] = {},
): Promise<BrokerSetting> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-brokers-"));
  const files = { brokers: join(folder, "brokers.json"), secrets: join(folder, "secrets.json") };
  await writeFile(files.brokers, "{}");
  await writeFile(files.secrets, "{}", { mode: 0o600 });
  const server = await startServer({ ...files, sandbox: "process", logLevel: "error", ...more });
  const rest = await settleBrokers(server.endpoint, folder);
  return {
    server,
    ...rest,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Clients of a server that runs already with the files of a folder. */
export async function settleBrokers(
  endpoint: string,
  folder: string,
): Promise<Omit<BrokerSetting, "server" | "stop">> {
  const options = clientOptions(endpoint);
  const lambda = new LambdaClient(options);
  const role = await makeRole(options, "poller");
  await allow(options, "poller", ["kafka:*", "mq:*", "secretsmanager:*", "sqs:*", "s3:*"]);
  return {
    lambda,
    role,
    brokers: (entries) => writeFile(join(folder, "brokers.json"), JSON.stringify(entries)),
    async secrets(entries, mode = 0o600) {
      const path = join(folder, "secrets.json");
      await rm(path);
      await writeFile(path, JSON.stringify(entries), { mode });
    },
    async writer(name) {
      const [out, plan] = [join(folder, `${name}.jsonl`), join(folder, `${name}.js`)];
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Role: role,
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          Timeout: 20,
          Code: { ZipFile: await zipOf({ "index.mjs": WRITER }) },
          Environment: { Variables: { OUT: out, PLAN: plan } },
        }),
      );
      await waitUntilFunctionActiveV2(
        { client: lambda, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.2 },
        { FunctionName: name },
      );
      return writerOf(name, out, plan);
    },
    async map(FunctionName, input) {
      const { UUID = "" } = await lambda.send(
        new CreateEventSourceMappingCommand({ FunctionName, ...input }),
      );
      return UUID;
    },
    mapping: (UUID) => lambda.send(new GetEventSourceMappingCommand({ UUID })),
    async unmap(UUID) {
      await until("the mapping may be deleted", () =>
        lambda.send(new DeleteEventSourceMappingCommand({ UUID })).catch(() => undefined),
      );
    },
  };
}

export function writerOf(name: string, out: string, plan: string): Writer {
  return {
    name,
    async events() {
      const text = await readFile(out, "utf8").catch(() => "");
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => (JSON.parse(line) as { event: unknown }).event);
    },
    plan: (text) => writeFile(plan, text),
  };
}

export async function allow(
  options: ReturnType<typeof clientOptions>,
  RoleName: string,
  Action: readonly string[],
): Promise<void> {
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*" }],
  });
  await new IAMClient(options).send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
}

/** Asks until the answer is something. */
export async function until<T>(what: string, ask: () => Promise<T> | T): Promise<NonNullable<T>> {
  const end = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${WAIT_MS_MAX} ms, and it is not so that ${what}`);
    await sleep(50);
  }
}
