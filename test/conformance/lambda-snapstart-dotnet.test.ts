/** SnapStart of .NET through the front, on gVisor: AWS's client calls the hooks of SnapshotRestore around the snapshot. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import type { FunctionConfiguration, Runtime } from "@aws-sdk/client-lambda";
import { clientOptions } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";
import { dotnetsHere, published } from "../invoke/dotnet-code.ts";
import { kindsWithGvisor } from "../invoke/harness.ts";
import { WAIT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const SOURCE = new URL("../invoke/dotnet-handlers/Saved.cs", import.meta.url);
const SnapStart = { ApplyOn: "PublishedVersions" } as const;

interface Answer {
  readonly steps: string[];
  readonly born: string;
  readonly uuid: string;
  readonly kept: string;
  readonly status: number;
  readonly type: string;
}

const runtime = dotnetsHere[0] as Runtime | undefined;
const hasGvisor = (await kindsWithGvisor()).includes("runsc");
const skip = runtime && hasGvisor ? false : "no .NET for it, or no gVisor";

describe("SnapStart of .NET on gVisor", { skip, concurrency: 2 }, () => {
  let setting: Setting;
  let ZipFile: Uint8Array;
  before(async () => {
    ZipFile = await zipOf(await published(runtime ?? "", "Saved", "library", [SOURCE]));
    setting = await startSetting({ sandbox: "runsc" });
  });
  after(() => setting?.server.stop());

  async function version(type: string, fails = ""): Promise<FunctionConfiguration> {
    const { lambda } = setting;
    const FunctionName = await setting.create("", {
      Runtime: runtime as Runtime,
      Handler: `Saved::Test.${type}::Handle`,
      Code: { ZipFile },
      Environment: { Variables: { FAILS: fails } },
      SnapStart,
      MemorySize: 512,
      Timeout: 60,
    });
    const { Version: Qualifier = "" } = await lambda.send(new PublishVersionCommand({ FunctionName }));
    const wanted = { FunctionName, Qualifier };
    await waitUntilPublishedVersionActive({ client: lambda, ...WAIT }, wanted).catch(() => {});
    return lambda.send(new GetFunctionConfigurationCommand(wanted));
  }

  it("PublishVersion saves the initialized function, and Invoke restores it, with its connections made anew", async () => {
    const { FunctionName = "", State, StateReason } = await version("Saved");
    assert.equal(State, "Active", StateReason ?? "");
    const invoke = (event: object) => setting.invoke(`${FunctionName}:1`, event, { LogType: "Tail" });
    const one = await invoke({});
    // A process that ends is restored anew.
    assert.equal((await invoke({ exit: 1 })).error, "Unhandled");
    const two = await invoke({});
    const [first, second] = [one.value as Answer, two.value as Answer];
    assert.deepEqual(first.steps, ["init", "before", "after"]);
    assert.deepEqual([first.kept, first.type], ["from the init phase", "snap-start"]);
    assert.ok(first.status >= 200);
    // The same process in two lives, with randomness of their own.
    assert.equal(first.born, second.born);
    assert.notEqual(first.uuid, second.uuid);
    assert.match(one.log ?? "", /REPORT .*Restore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms/);

    await sleep(500);
    const logs = new CloudWatchLogsClient(clientOptions(setting.server.endpoint));
    const logGroupName = `/aws/lambda/${FunctionName}`;
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    const count = (pattern: RegExp) => events.filter(({ message }) => pattern.test(message ?? "")).length;
    assert.equal(count(/^INIT_START /), 1);
    assert.equal(count(/the hook before/), 1);
    assert.equal(count(/the hook after/), 2);
    assert.equal(count(/^RESTORE_REPORT Restore Duration: [\d.]+ ms/), 2);
  });

  it("a hook that fails before the snapshot, or a socket that cannot be saved, is the version's StateReason", async () => {
    const [failed, listens] = await Promise.all([
      version("Unsaved", "before"),
      version("Unsaved", "listens"),
    ]);
    assert.deepEqual([failed.State, failed.StateReasonCode], ["Failed", "FunctionError"]);
    assert.match(failed.StateReason ?? "", /init phase failed: .*: no good/);
    assert.equal(listens.State, "Failed");
    assert.match(listens.StateReason ?? "", /has an open TCP socket that it watches by epoll/);
  });

  it("a hook that fails after the restore is a SnapStartException", async () => {
    const { FunctionName = "", State } = await version("Unsaved", "after");
    assert.equal(State, "Active");
    await assert.rejects(setting.invoke(`${FunctionName}:1`), { name: "SnapStartException" });
  });
});
