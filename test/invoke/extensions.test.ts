/** External extensions, beside managed and custom runtimes: their life, their failures, and what is left of them. */
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { after, describe, test } from "node:test";
import type { FunctionVersion } from "../../src/invoke/index.ts";
import { NODE_EXTENSION, PYTHON_EXTENSION, SHELL_EXTENSION, shellExtension } from "./extension-programs.ts";
import { eventually, kindsWithGvisor, openInvoker, runtimes } from "./harness.ts";
import type { FunctionInput } from "./harness.ts";

const HANDLER = { "index.mjs": "export const handler = async () => { console.log('handled'); return 1; };" };
/** A custom runtime that answers `1`, with what an invocation may make it do. */
const BOOTSTRAP = `#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
: "\${TMPDIR:=/tmp}"
while true; do
  event=$(curl -sS -D $TMPDIR/head "$api/next"); id=$(grep -i '^lambda-runtime-aws-request-id' $TMPDIR/head | tr -d '\\r' | cut -d' ' -f2)
  case "$event" in *sleep*) sleep 60;; *exit*) exit 7;; esac
  curl -sS -o /dev/null -d 1 "$api/$id/response"
done
`;
const custom = { runtime: "provided.al2023", files: { bootstrap: BOOTSTRAP } } as const;
const pythonRuntime = (await runtimes.list()).find(
  (each) => each.identifier.startsWith("python") && each.installed,
)?.identifier;
if (!pythonRuntime) console.log("# SKIPPED the extension in Python: no Python on this machine");

for (const kind of await kindsWithGvisor())
  describe(`extensions on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());
    /** A function with these files in /opt/extensions. */
    const fn = async (extensions: Record<string, string>, input: FunctionInput) => {
      const files = Object.fromEntries(
        Object.entries(extensions).map(([name, text]) => [`extensions/${name}`, text]),
      );
      const layer = await bench.fn({ files });
      return bench.fn({ ...input, optDir: layer.codeDir });
    };
    const logged = async (text: string) => {
      await eventually(() => bench.logged().includes(text));
      return bench.logged();
    };

    const languages: [string, string, FunctionInput][] = [
      ["a.mjs", NODE_EXTENSION, { files: HANDLER }],
      ["c.sh", SHELL_EXTENSION, custom],
    ];
    if (pythonRuntime)
      languages.push([
        "b.py",
        PYTHON_EXTENSION,
        {
          runtime: pythonRuntime,
          handler: "index.handler",
          files: { "index.py": "def handler(event, context):\n    print('handled')\n    return 1\n" },
        },
      ]);
    for (const [name, text, input] of languages)
      test(`${name} registers, subscribes, hears INVOKE and SHUTDOWN`, async () => {
        const version = await fn({ [name]: text }, input);
        const first = await bench.call(version);
        assert.equal(first.json, 1);
        assert.ok(first.initDurationMs);
        const second = await bench.call(version);
        await logged(second.requestId);
        await bench.invoker.retire(version.key);
        const log = bench.logged();
        for (const line of [
          `${name} registered 200 subscribed 200\n`,
          `EXTENSION\tName: ${name}\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n`,
          `TELEMETRY\tName: ${name}\tState: Subscribed\tTypes: [Platform]\n`,
          first.requestId,
          second.requestId,
        ])
          assert.ok(log.includes(line), `${line} in ${log}`);
        const own = log.split("\n").filter((line) => line.startsWith(`${name} `));
        const said = own.join("\n");
        for (const each of [first, second]) assert.match(said, new RegExp(`INVOKE.*${each.requestId}`), said);
        assert.match(said, /SHUTDOWN.*spindown/);
        if (name !== "c.sh")
          for (const type of [
            "platform.initStart",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
          ])
            assert.ok(
              own.some((line) => line.includes("telemetry") && line.includes(type)),
              `${type} in ${said}`,
            );
      });

    test("a slow extension does not keep the caller waiting, but the next invocation, and its time counts", async () => {
      const version = await fn(
        { "slow.sh": shellExtension('"INVOKE"', "register; while true; do next; sleep 0.4; done") },
        { files: HANDLER },
      );
      const first = await bench.call(version);
      const log = await logged(`REPORT RequestId: ${first.requestId}`);
      const [, duration] =
        new RegExp(`REPORT RequestId: ${first.requestId}\tDuration: (\\S+) ms`).exec(log) ?? [];
      assert.ok(Number(duration) >= 400, `it took ${duration} ms`);
      assert.ok(Number(duration) > first.durationMs, "the caller had its answer before");
      const afterRuntime = ({ functionName }: FunctionVersion) =>
        bench.metrics
          .all()
          .filter(({ id }) => id.name === "PostRuntimeExtensionsDuration")
          .filter(({ id }) => id.dimensions["FunctionName"] === functionName);
      const counted = afterRuntime(version);
      assert.deepEqual([counted.length, counted[0]?.count], [1, 1]);
      const ms = counted[0]?.sum ?? 0;
      assert.ok(ms >= 300 && ms <= Number(duration), `${ms} ms of ${duration} ms`);
      const without = await bench.fn({ files: HANDLER });
      await bench.call(without);
      assert.deepEqual(afterRuntime(without), [], "there is no extension to wait for");
    });

    test("an extension that never comes back runs into the function's timeout, after the answer", async () => {
      const version = await fn(
        { "stuck.sh": shellExtension('"INVOKE"', "register; next; sleep 60") },
        { files: HANDLER, timeoutMs: 1_000 },
      );
      const answer = await bench.call(version);
      assert.equal(answer.json, 1);
      const log = await logged(`REPORT RequestId: ${answer.requestId}`);
      assert.match(
        log,
        new RegExp(`REPORT RequestId: ${answer.requestId}\tDuration: 1000.00 ms.*\tStatus: timeout\n`),
      );
    });

    test("one that exits while it starts is Extension.Crash, at the first and at the second try", async () => {
      const version = await fn({ "early.sh": "#!/bin/bash\nexit 3\n" }, { files: HANDLER });
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.deepEqual(answer.json, {
        errorType: "Extension.Crash",
        errorMessage: `RequestId: ${answer.requestId} Error: exit status 3`,
      });
      assert.match(
        answer.tail,
        /INIT_REPORT Init Duration: \S+ ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n/,
      );
      assert.match(answer.tail, /REPORT .*\tStatus: error\tError Type: Extension.Crash\n$/);
      const log = await logged("Phase: init\tStatus: error\tError Type: Extension.Crash");
      assert.match(log, /EXTENSION\tName: early.sh\tState: Started\tEvents: \[\]\n/);
    });

    test("an init error is told with its type, an exit error too", async () => {
      const early = await bench.call(
        await fn(
          { "init.sh": shellExtension("", "register; fail init Extension.NoConfig; exit 4") },
          { files: HANDLER },
        ),
      );
      assert.equal(early.json.errorType, "Extension.InitError");
      assert.equal(early.json.errorMessage, `RequestId: ${early.requestId} Error: exit status 4`);
      assert.match(
        await logged("State: InitError"),
        /EXTENSION\tName: init.sh\tState: InitError\tEvents: \[\]\tError Type: Extension.NoConfig\n/,
      );
      const late = await bench.call(
        await fn(
          { "exit.sh": shellExtension('"INVOKE"', "register; next; fail exit Extension.Broken; exit 5") },
          { ...custom, timeoutMs: 5_000 },
        ),
        { do: "sleep" },
      );
      assert.equal(late.json.errorType, "Extension.ExitError");
      assert.equal(late.json.errorMessage, `RequestId: ${late.requestId} Error: exit status 5`);
    });

    test("one that crashes in an invocation fails it, and is there again for the next", async () => {
      const version = await fn(
        { "crash.sh": shellExtension('"INVOKE"', "register; while true; do next; kill -9 $$; done") },
        { ...custom, timeoutMs: 5_000 },
      );
      const answer = await bench.call(version, { do: "sleep" });
      assert.deepEqual(answer.json, {
        errorType: "Extension.Crash",
        errorMessage: `RequestId: ${answer.requestId} Error: signal: killed`,
      });
      await logged(`REPORT RequestId: ${answer.requestId}`);
      const again = await bench.call(version, { do: "sleep" });
      assert.equal(again.json.errorType, "Extension.Crash");
    });

    test("one that may not be run is Extension.LaunchError", async () => {
      const layer = await bench.fn({ files: { "extensions/plain": "no program" } });

      await chmod(`${layer.codeDir}/extensions/plain`, 0o644);
      const version = await bench.fn({ files: HANDLER, optDir: layer.codeDir });
      const answer = await bench.call(version);
      assert.deepEqual(answer.json, {
        errorType: "Extension.LaunchError",
        errorMessage: `RequestId: ${answer.requestId} Error: fork/exec /opt/extensions/plain: permission denied`,
      });
      assert.match(
        await logged("State: LaunchError"),
        /EXTENSION\tName: plain\tState: LaunchError\tEvents: \[\]\tError Type: PermissionDenied\n/,
      );
    });

    test("eleven are one too many", async () => {
      const names = Array.from({ length: 11 }, (_, index) => `extension-${index + 10}`);
      const program = shellExtension('"INVOKE"', "register; while true; do next; done");
      const version = await fn(Object.fromEntries(names.map((name) => [name, program])), { files: HANDLER });
      const answer = await bench.call(version);
      assert.equal(answer.json.errorType, "Extension.LaunchError");
      assert.match(answer.json.errorMessage, /Error: Extension limit \(10\) reached/);
      assert.match(
        await logged("TooManyExtensions"),
        /EXTENSION\tName: extension-20\tState: LaunchError\tEvents: \[\]\tError Type: TooManyExtensions\n/,
      );
    });

    test("extensions hear why: timeout and failure of the runtime", async () => {
      const program = shellExtension('"SHUTDOWN"', 'register; next; echo "$name heard $event"; exit 0');
      const version = await fn({ "ear.sh": program }, { ...custom, timeoutMs: 3_000 });
      assert.equal((await bench.call(version, { do: "sleep" })).json.errorType, "Sandbox.Timedout");
      assert.match(
        await logged('"shutdownReason":"timeout"'),
        /ear.sh heard \{"eventType":"SHUTDOWN","shutdownReason":"timeout","deadlineMs":\d+\}/,
      );
      // It begins with an init, under the same limit, for which a busy machine may need another try.
      let exit = await bench.call(version, { do: "exit" });
      while (exit.json.errorType === "Sandbox.Timedout") exit = await bench.call(version, { do: "exit" });
      assert.equal(exit.json.errorType, "Runtime.ExitError");
      await logged('"shutdownReason":"failure"');
    });

    test("one that ignores SHUTDOWN is killed within two seconds, the others were told", async () => {
      const version = await fn(
        {
          "deaf.sh": shellExtension(
            '"INVOKE","SHUTDOWN"',
            "trap '' TERM; register; while true; do next; done",
          ),
          "good.sh": shellExtension('"SHUTDOWN"', 'register; next; echo "$name leaves"'),
        },
        { files: HANDLER },
      );
      assert.equal((await bench.call(version)).json, 1);
      const startedAt = performance.now();
      await bench.invoker.retire(version.key);
      assert.ok(performance.now() - startedAt > 1_500, "it was given its time");
      assert.ok(bench.logged().includes("good.sh leaves\n"));
    });

    test("an extension has the function's variables, without those of the runtime", async () => {
      const version = await fn(
        {
          "env.sh": shellExtension(
            '"INVOKE"',
            'env | sort | sed "s/^/env.sh has /"; register; while true; do next; done',
          ),
        },
        { files: HANDLER, environment: { MINE: "yes" } },
      );
      await bench.call(version);
      const log = await logged("env.sh has TZ=");
      const names = [...log.matchAll(/^env.sh has ([A-Za-z_]+)=/gm)].map((match) => match[1] ?? "");
      for (const name of [
        "MINE",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_ACCESS_KEY_ID",
        "AWS_REGION",
      ])
        assert.ok(names.includes(name), name);
      for (const name of [
        "_HANDLER",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "LAMBDA_TASK_ROOT",
        "_LAMBENT_SOCKET",
      ])
        assert.ok(!names.includes(name), name);
    });
  });
