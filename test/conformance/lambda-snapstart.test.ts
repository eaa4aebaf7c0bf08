/** SnapStart through the front: PublishVersion saves an initialized function, Invoke restores it. On gVisor; elsewhere it is refused. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput, FunctionConfiguration, Runtime } from "@aws-sdk/client-lambda";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { clientOptions, startServer } from "../harness/server.ts";
import { compiled, javasHere, libraries } from "../invoke/java-code.ts";
import { kindsWithGvisor, runtimes } from "../invoke/harness.ts";
import { spawnServer } from "../harness/process.ts";
import { zipOf } from "../harness/zip.ts";
import { WAIT, settle, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const hasGvisor = (await kindsWithGvisor()).includes("runsc");
const SnapStart = { ApplyOn: "PublishedVersions" } as const;

/** The first of these that is here. */
async function firstHere(...identifiers: Runtime[]): Promise<Runtime | undefined> {
  for (const identifier of identifiers)
    if ((await runtimes.find(identifier)).status === "ready") return identifier;
  console.log(`# SKIPPED SnapStart of ${identifiers.join(", ")}: none of them is here`);
  return undefined;
}
const python = await firstHere("python3.14", "python3.13", "python3.12");
const java = javasHere.find((identifier) => ["java17", "java21", "java25"].includes(identifier)) as Runtime;

const CODE = `
import os, time, uuid, socket, urllib.request
from snapshot_restore_py import register_before_snapshot, register_after_restore

STEPS = ["init"]
BORN = os.urandom(8).hex()
with open("/tmp/kept", "w") as file: file.write("from the init phase")
# What SDKs keep open for their next request.
KEPT = socket.create_connection(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").split(":"))

@register_before_snapshot
def first(): STEPS.append("before 1")
@register_before_snapshot
def second(): STEPS.append("before 2")
@register_after_restore
def third(): STEPS.append("after 1")
@register_after_restore
def fourth():
    print("hello from the hook")
    STEPS.append("after 2")

def credentials(token):
    request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": token})
    try: return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as error: return error.code

def handler(event, context):
    if event.get("exit"): os._exit(3)
    if event.get("sleep"): time.sleep(event["sleep"])
    return {"steps": STEPS, "born": BORN, "uuid": str(uuid.uuid4()), "kept": open("/tmp/kept").read(),
        "credentials": credentials(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]) if event.get("ask") else "", "refused": credentials("x") if event.get("ask") else 0,
        "environment": {k: v for k, v in os.environ.items() if k.startswith("AWS_")}}
`;

interface Answer {
  readonly steps: string[];
  readonly born: string;
  readonly uuid: string;
  readonly kept: string;
  readonly credentials: string;
  readonly refused: number;
  readonly environment: Record<string, string>;
}

const JAVA = `package test;
import com.amazonaws.services.lambda.runtime.*;
import java.util.*;
import org.crac.*;
public class Saved implements RequestHandler<Object, Object>, Resource {
    private final List<String> steps = new ArrayList<>(Arrays.asList("init"));
    public Saved() { Core.getGlobalContext().register(this); }
    @Override public void beforeCheckpoint(org.crac.Context<? extends Resource> c) { steps.add("beforeCheckpoint"); }
    @Override public void afterRestore(org.crac.Context<? extends Resource> c) { steps.add("afterRestore"); }
    @Override public Object handleRequest(Object event, com.amazonaws.services.lambda.runtime.Context c) {
        try { Thread.sleep(1000); } catch (InterruptedException e) {}
        List<String> all = new ArrayList<>(steps);
        all.add(UUID.randomUUID().toString());
        return all;
    }
}`;

const hooks = (before: string, afterwards: string) => `
import snapshot_restore_py, time
def fail(): raise ValueError("no good")
snapshot_restore_py.register_before_snapshot(lambda: ${before})
snapshot_restore_py.register_after_restore(lambda: ${afterwards})
def handler(event, context): return 1
`;

const skip = hasGvisor && python ? false : "no gVisor, or no Python for it";

describe("SnapStart on gVisor", { skip, concurrency: 2 }, () => {
  describe("of one server", { concurrency: 1 }, () => {
    let setting: Setting;
    let dataDir: string;
    /** How it ends when a hook takes more than ten seconds. */
    let late: Promise<unknown>;
    before(async () => {
      dataDir = await mkdtemp(join(tmpdir(), "lambent-snapstart-"));
      setting = await startSetting({ sandbox: "runsc", dataDir });
      late = make(hooks("0", "time.sleep(30)"), { FunctionName: "late" })
        .then(published)
        .then(() => setting.invoke("late:1"))
        .catch((error: Error) => error.name);
    });
    after(async () => {
      await setting?.server.stop();
      await rm(dataDir, { recursive: true, force: true });
    });

    async function make(source: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<string> {
      const Code = { ZipFile: await zipOf({ "index.py": source }) };
      const input = { Runtime: python as Runtime, Code, SnapStart, MemorySize: 256, Timeout: 60, ...more };
      return setting.create("", input);
    }

    async function published(FunctionName: string): Promise<FunctionConfiguration> {
      const { lambda } = setting;
      const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
      const Qualifier = Version ?? "";
      await waitUntilPublishedVersionActive({ client: lambda, ...WAIT }, { FunctionName, Qualifier }).catch(
        () => {},
      );
      return lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));
    }

    it("PublishVersion saves the initialized function, and Invoke restores it", async () => {
      const { lambda } = setting;
      const FunctionName = await make(CODE, { FunctionName: "kept" });
      const latest = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      assert.deepEqual(latest.SnapStart, { ApplyOn: "PublishedVersions", OptimizationStatus: "Off" });
      const active = published(FunctionName);
      while (true) {
        const error = await setting.invoke(`${FunctionName}:1`).catch((each: Error) => each);
        if (error instanceof Error && error.name === "ResourceNotFoundException") continue;
        assert.equal((error as Error).name, "SnapStartNotReadyException");
        break;
      }
      const { State, SnapStart: snapStart } = await active;
      assert.equal(State, "Active");
      assert.deepEqual(snapStart, { ApplyOn: "PublishedVersions", OptimizationStatus: "On" });

      const event = { sleep: 2, ask: true };
      const [one, two] = await Promise.all(
        [1, 2].map(() => setting.invoke(`${FunctionName}:1`, event, { LogType: "Tail" })),
      );
      const [first, second] = [one?.value as Answer, two?.value as Answer];
      assert.deepEqual(first.steps, ["init", "before 2", "before 1", "after 1", "after 2"]);
      assert.equal(first.kept, "from the init phase");
      // The same process in two lives, with randomness of their own.
      assert.equal(first.born, second.born);
      assert.notEqual(first.uuid, second.uuid);
      const { environment } = first;
      assert.equal(environment["AWS_LAMBDA_INITIALIZATION_TYPE"], "snap-start");
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"])
        assert.equal(environment[name], undefined);
      assert.match(one?.log ?? "", /REPORT .*Restore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms/);

      assert.equal(first.refused, 401);
      const given = JSON.parse(first.credentials) as Record<string, string>;
      const credentials = {
        accessKeyId: given["AccessKeyId"] ?? "",
        secretAccessKey: given["SecretAccessKey"] ?? "",
        sessionToken: given["Token"] ?? "",
      };
      const sts = new STSClient({ ...clientOptions(setting.server.endpoint), credentials });
      const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
      assert.match(Arn ?? "", /:assumed-role\/execution\/kept$/);

      await sleep(500);
      const logs = new CloudWatchLogsClient(clientOptions(setting.server.endpoint));
      const { events = [] } = await logs.send(
        new FilterLogEventsCommand({ logGroupName: "/aws/lambda/kept" }),
      );
      const count = (pattern: RegExp) => events.filter(({ message }) => pattern.test(message ?? "")).length;
      assert.equal(count(/^INIT_START /), 1);
      assert.equal(count(/^INIT_REPORT Init Duration: /), 1);
      assert.equal(count(/^RESTORE_START Runtime Version: python:.*Runtime Version ARN: /), 2);
      assert.equal(count(/^RESTORE_REPORT Restore Duration: [\d.]+ ms/), 2);
      assert.equal(count(/hello from the hook/), 2);
    });

    it("a process that ends is restored anew", async () => {
      const [{ error }] = [await setting.invoke("kept:1", { exit: true })];
      assert.equal(error, "Unhandled");
      assert.equal(((await setting.invoke("kept:1", {})).value as Answer).steps.length, 5);
    });

    it("a version whose hook fails before the snapshot is Failed; what fails after it is a SnapStartException", async () => {
      const [before, afterwards] = await Promise.all([
        make(hooks("fail()", "0")),
        make(hooks("0", "fail()")),
      ]);
      const failed = await published(before);
      assert.equal(failed.State, "Failed");
      assert.equal(failed.StateReasonCode, "FunctionError");
      assert.match(failed.StateReason ?? "", /init phase failed: ValueError: no good/);
      assert.equal(failed.SnapStart?.OptimizationStatus, "Off");
      await assert.rejects(setting.invoke(`${before}:1`), { name: "ResourceConflictException" });
      assert.equal((await published(afterwards)).State, "Active");
      await assert.rejects(setting.invoke(`${afterwards}:1`), { name: "SnapStartException" });
    });

    it(
      "Java: AWS's client calls the hooks of org.crac",
      { skip: java ? false : "no Java for it" },
      async () => {
        const jars = await libraries("aws-lambda-java-core", "org-crac");
        const files: Record<string, Buffer> = await compiled({ "test/Saved.java": JAVA }, jars);
        for (const jar of jars) files[`lib/${basename(jar)}`] = await readFile(jar);
        const Code = { ZipFile: await zipOf(files) };
        const FunctionName = await make("", { Runtime: java, Handler: "test.Saved", MemorySize: 512, Code });
        const state = await published(FunctionName);
        assert.equal(state.State, "Active", state.StateReason ?? "");
        const [one, two] = await Promise.all(
          [1, 2].map(() => setting.invoke(`${FunctionName}:1`, {}, { LogType: "Tail" })),
        );
        const [first, second] = [one?.value as string[], two?.value as string[]];
        assert.deepEqual(first.slice(0, 3), ["init", "beforeCheckpoint", "afterRestore"]);
        assert.notEqual(first[3], second[3]);
        assert.match(one?.log ?? "", /Restore Duration: /);
      },
    );

    it("PutProvisionedConcurrencyConfig refuses a version with SnapStart", async () => {
      const input = { FunctionName: "kept", Qualifier: "1", ProvisionedConcurrentExecutions: 1 };
      await assert.rejects(setting.lambda.send(new PutProvisionedConcurrencyConfigCommand(input)), {
        name: "InvalidParameterValueException",
        message: /Provisioned Concurrency is not supported for SnapStart/,
      });
    });

    it("after-restore hooks that take more than ten seconds are a SnapStartTimeoutException", async () => {
      assert.equal(await late, "SnapStartTimeoutException");
      await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: "late" }));
    });

    it("the snapshot outlives the server; a lost one is made anew; it goes with its version", async () => {
      const before = ((await setting.invoke("kept:1", {})).value as Answer).born;
      // A snapshot knows where it found the server.
      const port = Number(new URL(setting.server.endpoint).port);
      await setting.server.stop();
      const server = await startServer({ sandbox: "runsc", dataDir, port });
      setting = { ...setting, server };
      assert.equal(((await setting.invoke("kept:1", {})).value as Answer).born, before);

      const snapshots = join(dataDir, "sandboxes/snapshots");
      for (const name of await readdir(snapshots)) await rm(join(snapshots, name), { recursive: true });
      await setting.invoke("kept:1", { exit: true });
      const anew = (await setting.invoke("kept:1", {})).value as Answer;
      assert.notEqual(anew.born, before);
      assert.equal(anew.steps.length, 5);

      const kept = (await readdir(snapshots)).length;
      await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: "kept" }));
      for (let tries = 0; (await readdir(snapshots)).length !== kept - 1; tries++) {
        assert.ok(tries < 100, "the snapshot goes with its version");
        await sleep(50);
      }
    });
  });

  it("kill -9 while a snapshot is made, and once it is there: the next server makes it, or has it", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "lambent-snapstart-"));
    const flags = ["--data-dir", dataDir, "--sandbox", "runsc"];
    let server = await spawnServer([...flags, "--port", "0"]);
    const again = async () => {
      await server.kill();
      server = await spawnServer([...flags, "--port", new URL(server.endpoint).port]);
    };
    try {
      const { lambda, create, invoke } = await settle(server.endpoint);
      const Code = { ZipFile: await zipOf({ "index.py": CODE }) };
      const input = { Runtime: python as Runtime, Code, SnapStart, MemorySize: 256, Timeout: 60 };
      const FunctionName = await create("", input);
      const { State } = await lambda.send(new PublishVersionCommand({ FunctionName }));
      assert.equal(State, "Pending");
      await again();
      await waitUntilPublishedVersionActive({ client: lambda, ...WAIT }, { FunctionName, Qualifier: "1" });
      const { born, steps } = (await invoke(`${FunctionName}:1`, {})).value as Answer;
      assert.equal(steps.length, 5);
      await again();
      assert.equal(((await invoke(`${FunctionName}:1`, {})).value as Answer).born, born);
    } finally {
      await server.terminate();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe("where SnapStart is refused", () => {
  let setting: Setting;
  before(async () => {
    setting = await startSetting({ sandbox: "process" });
  });
  after(() => setting?.server.stop());

  const refused = async (
    more: Partial<CreateFunctionCommandInput>,
    error: { name: string; message: RegExp },
  ) => {
    const ZipFile = await zipOf({ "index.py": "", "index.mjs": "export const handler = () => 1" });
    const own = { FunctionName: "refused", Role: setting.role, Handler: "index.handler", Code: { ZipFile } };
    await assert.rejects(
      setting.lambda.send(new CreateFunctionCommand({ ...own, SnapStart, ...more })),
      error,
    );
  };

  it("CreateFunction: runtimes without it, in AWS's words; those that Lambent cannot save yet, by name", async () => {
    for (const Runtime of ["nodejs24.x", "ruby3.4", "python3.11", "provided.al2023"] as const)
      await refused(
        { Runtime },
        {
          name: "InvalidParameterValueException",
          message: new RegExp(`^${Runtime} is not supported for SnapStart enabled functions`),
        },
      );
    await refused(
      { Runtime: "java11" },
      { name: "NotImplemented", message: /SnapStart of the runtime java11/ },
    );
    await refused(
      { Runtime: "dotnet8" },
      { name: "NotImplemented", message: /SnapStart of \.NET executables/ },
    );
  });

  it("CreateFunction: more than 512 MB of /tmp, and sandboxes that are not gVisor", async () => {
    await refused(
      { Runtime: "java21", EphemeralStorage: { Size: 513 } },
      { name: "InvalidParameterValueException", message: /EphemeralStorage of more than 512 MB/ },
    );
    await refused(
      { Runtime: "java21" },
      { name: "NotImplemented", message: /functions run on process here.*--sandbox runsc/ },
    );
  });

  it("UpdateFunctionConfiguration refuses alike, and takes None", async () => {
    const FunctionName = await setting.create("export const handler = () => 1");
    const update = (more: object) =>
      setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...more }));
    await assert.rejects(update({ SnapStart }), { name: "InvalidParameterValueException" });
    const { SnapStart: answered } = await update({ SnapStart: { ApplyOn: "None" } });
    assert.deepEqual(answered, { ApplyOn: "None", OptimizationStatus: "Off" });
    await setting.updated(FunctionName);
  });
});
