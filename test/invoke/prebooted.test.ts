/** Environments whose process waited for its function: the same to the function as one that was booted for it, and nothing stays behind. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitingBytes, waitingSweepMs } from "../../src/invoke/limits.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { priorityOf } from "../harness/cpu-group.ts";
import { INTERNAL_EXTENSION, shellExtension } from "./extension-programs.ts";
import { eventually, memoryWith, openInvoker, runcMissing, runtimes } from "./harness.ts";
import type { Answer, FunctionInput, TestInvoker } from "./harness.ts";

const needsRoot: string | false =
  runcMissing ?? (process.getuid?.() === 0 ? false : "processes are booted ahead where the server is root");
if (needsRoot && !runcMissing) console.log(`# SKIPPED processes that wait: ${needsRoot}`);

/** How often a test asks again for a process that is being booted. */
const TRIES = 20;
/** Cold starts hold up what is booted ahead for a while: a test that asks in vain leaves it more and more time. */
const quiet = (tries: number) => sleep(Math.min(100 * 2 ** tries, 3_000));

const NODE = `
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { cachedDataVersionTag, getHeapStatistics } from "node:v8";
const shape = (object) => Reflect.ownKeys(object).map((key) => { const { value, get, ...rest } = Object.getOwnPropertyDescriptor(object, key); return [String(key), typeof value, typeof get, JSON.stringify(rest)].join(" "); }).sort();
const atInit = { cwd: process.cwd(), globals: shape(globalThis), process: shape(process), console: shape(console), task: readFileSync("index.mjs").length };
let calls = 0;
export const handler = async (event, context) => ({
  waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS"),
  calls: ++calls,
  seen: {
    atInit, argv: process.argv, execArgv: process.execArgv, execPath: process.execPath, title: process.title,
    env: { ...process.env, AWS_LAMBDA_LOG_STREAM_NAME: "", AWS_LAMBDA_RUNTIME_API: "", AWS_LAMBDA_METADATA_API: "", AWS_LAMBDA_METADATA_TOKEN: "" },
    child: execFileSync("env").toString().split("\\n").map((line) => line.split("=")[0]).sort(),
    zone: new Date(0).toString(), locale: Intl.DateTimeFormat().resolvedOptions(),
    limits: readFileSync("/proc/self/limits", "utf8"),
    status: readFileSync("/proc/self/status", "utf8").match(/^(Uid|Gid|NoNewPrivs|Seccomp|CapEff|SigIgn|SigBlk|Umask).*$/gm),
    heap: getHeapStatistics().heap_size_limit, collector: typeof gc, cached: Object.keys(createRequire(import.meta.url).cache),
    files: readdirSync("/proc/self/fd").map((fd) => { try { return readlinkSync("/proc/self/fd/" + fd).replace(/:.*|^.*\\//, ""); } catch { return "gone"; } }).sort(),
    mounts: readFileSync("/proc/mounts", "utf8").split("\\n").filter((line) => / \\/(var|opt|tmp|run)/.test(line))
      .map((line) => line.split(" ").slice(1, 4).join(" ")).filter((line, at, all) => all.lastIndexOf(line) === at).sort(),
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort(), resources: process.getActiveResourcesInfo(),
    code: cachedDataVersionTag(), errors: shape(Error), captures: process.hasUncaughtExceptionCaptureCallback(),
    streams: [process.stdout, process.stderr].map((stream) => [stream.constructor.name, stream.fd, stream.isTTY, shape(stream)]),
    context: Object.keys(context), stack: new Error("x").stack.split("\\n").slice(1).map((line) => line.trim()),
  },
});`;

const PYTHON = `
import sys
LOADED = sorted(sys.modules)
import os, time, resource, logging, subprocess, builtins, gc, locale, signal, threading, warnings, socket, random, tempfile, atexit, decimal, codecs
AT_INIT = {"cwd": os.getcwd(), "files": sorted(os.listdir("."))}
calls = 0
def handler(event, context):
    global calls
    calls += 1
    env = dict(os.environ, AWS_LAMBDA_LOG_STREAM_NAME="", AWS_LAMBDA_RUNTIME_API="", AWS_LAMBDA_METADATA_API="", AWS_LAMBDA_METADATA_TOKEN="")
    return {
        "waited": b"_LAMBENT_WAITS" in open("/proc/self/environ", "rb").read(),
        "calls": calls,
        "seen": {
            "at_init": AT_INIT, "argv": sys.argv, "path": sys.path, "flags": str(sys.flags), "env": env,
            "child": sorted(line.split("=")[0] for line in subprocess.check_output(["env"]).decode().split("\\n")),
            "zone": [time.tzname, time.strftime("%c %Z", time.localtime(0))],
            "limits": open("/proc/self/limits").read(), "recursion": sys.getrecursionlimit(),
            "loggers": [str(type(h)) for h in logging.getLogger().handlers], "level": logging.getLogger().level,
            "main": sorted(name for name in sys.modules if name.startswith("lambent") and name != "lambent_warm_up"),
            "builtins": sorted(vars(builtins)), "meta": [str(each) for each in sys.meta_path],
            "streams": [str(type(sys.stdout)), sys.stdout.encoding],
            "signals": [[name.name, str(signal.getsignal(name))] for name in signal.valid_signals() if hasattr(name, "name")],
            "threads": [thread.name for thread in threading.enumerate()], "locale": locale.setlocale(locale.LC_ALL),
            "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)],
            "warnings": [str(each) for each in warnings.filters], "hooks": [sys.excepthook is sys.__excepthook__, sys.gettrace(), sys.getprofile(), str(threading.excepthook)],
            "socket": socket.getdefaulttimeout(), "temporary": tempfile.gettempdir(), "interval": sys.getswitchinterval(), "decimal": str(decimal.getcontext()),
            "root": sorted(name for name in logging.root.manager.loggerDict if not name.startswith(("asyncio", "concurrent"))), "umask": [os.umask(0o22), sys.dont_write_bytecode],
        },
    }
`;

const RUBY = `
require "logger"
require "socket"
require "timeout"
AT_INIT = { cwd: Dir.pwd, files: Dir.children(".").sort, task: File.size("index.rb"), globals: global_variables.sort, id: $_global_aws_request_id.inspect }
def handler(event:, context:)
  @calls = (@calls || 0) + 1
  env = ENV.to_h.merge("AWS_LAMBDA_LOG_STREAM_NAME" => "", "AWS_LAMBDA_RUNTIME_API" => "", "AWS_LAMBDA_METADATA_API" => "", "AWS_LAMBDA_METADATA_TOKEN" => "")
  {
    waited: File.binread("/proc/self/environ").include?("_LAMBENT_WAITS"), calls: @calls,
    seen: {
      at_init: AT_INIT, argv: ARGV, program: $0, path: $LOAD_PATH, env: env, encodings: [Encoding.default_external, Encoding.default_internal, Encoding.find("locale")].map(&:to_s),
      child: \`env\`.split("\n").map { |line| line.split("=").first }.sort, zone: [Time.at(0).to_s, Time.now.zone],
      limits: File.read("/proc/self/limits"), status: File.read("/proc/self/status").scan(/^(?:Uid|Gid|NoNewPrivs|Seccomp|CapEff|SigIgn|SigBlk|SigCgt|Umask).*$/),
      files: Dir.children("/proc/self/fd").map { |fd| File.readlink("/proc/self/fd/" + fd).sub(%r{:.*|^.*/}, "") rescue "gone" }.sort,
      signals: Signal.list.keys.grep(/INT|TERM|USR|HUP|CHLD|PIPE/).map { |name| [name, trap(name, "DEFAULT").to_s] },
      threads: Thread.list.size, streams: [$stdout, $stderr].map { |s| [s.class.to_s, s.fileno, s.sync, s.tty?, s.singleton_methods.sort] },
      gems: [Gem.path, Gem.dir], collector: [GC.disable, GC.enable, GC.stress], verbose: [$VERBOSE, $DEBUG, Thread.report_on_exception], context: context.public_methods(false).sort,
      self: self.class.to_s, stack: caller.map { |line| File.basename(line) }, umask: File.umask,
    },
  }
end
`;

/** By language: a function that tells what was loaded before its own first line, and what only a process that waits has loaded then. */
const AHEAD = {
  node: {
    files: {
      "index.mjs": `const loaded = process.moduleLoadList.map((each) => each.replace("NativeModule ", ""));
        const { readFileSync } = process.getBuiltinModule("fs");
        export const handler = async () => ({ waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS"), loaded });`,
    },
    modules: ["assert", "fs/promises", "os", "perf_hooks", "timers/promises"],
  },
  python: {
    files: {
      "index.py": `import sys
LOADED = list(sys.modules)
def handler(event, context):
    return {"waited": b"_LAMBENT_WAITS" in open("/proc/self/environ", "rb").read(), "loaded": LOADED}
`,
    },
    modules: [
      "asyncio",
      "csv",
      "decimal",
      "email",
      "http.client",
      "ssl",
      "subprocess",
      "urllib.request",
      "uuid",
    ],
  },
  ruby: {
    files: {
      "index.rb": `LOADED = $LOADED_FEATURES.map { |file| File.basename(file) }
def handler(event:, context:) = { waited: File.binread("/proc/self/environ").include?("_LAMBENT_WAITS"), loaded: LOADED }
`,
    },
    modules: [
      "erb.rb",
      "open3.rb",
      "openssl.rb",
      "securerandom.rb",
      "shellwords.rb",
      "tempfile.rb",
      "yaml.rb",
    ],
  },
};

const python = await runtimes.find("python3.11");
const [ruby] = (await runtimes.list()).filter((one) => one.identifier.startsWith("ruby") && one.installed);
const LANGUAGES = {
  "nodejs26.x": { "index.mjs": NODE },
  "nodejs22.x": { "index.mjs": NODE },
  "nodejs20.x": { "index.mjs": NODE },
  ...(python.status === "ready" ? { "python3.11": { "index.py": PYTHON } } : {}),
  ...(ruby ? { [ruby.identifier]: { "index.rb": RUBY } } : {}),
};
if (!ruby) console.log("# SKIPPED Ruby processes that wait: there is no Ruby here");
if (python.status !== "ready")
  console.log("# SKIPPED Python processes that wait: there is no python3.11 here");

describe("a process that waited for its function", { skip: needsRoot }, () => {
  let waiting: TestInvoker;
  let fromNothing: TestInvoker;
  before(async () => {
    waiting = await openInvoker("runc");
    fromNothing = await openInvoker("runc", { prebootedMax: 0 });
  });
  after(() => Promise.all([waiting.close(), fromNothing.close()]));

  /** The answer of a process that waited, asked for until one does. */
  async function ofWaiting(input: FunctionInput, event: unknown = {}): Promise<Answer> {
    for (let tries = 0; tries < TRIES; tries++) {
      const version = await waiting.fn(input);
      waiting.invoker.prepare(version);
      await quiet(tries);
      const answer = await waiting.call(version, event);
      if (answer.json?.waited) return answer;
      void waiting.invoker.retire(version.key);
    }
    throw new Error(`no process of ${input.runtime} waited`);
  }

  for (const [runtime, files] of Object.entries(LANGUAGES))
    test(`is to a function of ${runtime} as one that was booted for it`, async () => {
      const layer = await waiting.fn({ files: { "bin/tool": "#!/bin/sh\necho tool" } });
      const input: FunctionInput = {
        files,
        runtime,
        memoryMb: 256,
        functionName: "same",
        functionArn: "arn:same",
        logGroup: "/same",
        optDir: layer.codeDir,
        environment: { TZ: "America/New_York", PATH: "/usr/bin:/bin:/opt/bin", EMPTY: "", odd: "a=b\n'é☃" },
      };
      const one = await ofWaiting(input);
      const other = await fromNothing.call(await fromNothing.fn(input));
      assert.equal(other.json.waited, false);
      assert.deepEqual(one.json.seen, other.json.seen);
      assert.deepEqual([one.json.calls, other.json.calls], [1, 1]);
      assert.ok((one.initDurationMs ?? 0) > 0);
    });

  for (const runtime of Object.keys(LANGUAGES))
    test(`has loaded core modules before code of ${runtime} runs, as none does that is booted for it`, async () => {
      const { files, modules } = AHEAD[/^(node|python|ruby)/.exec(runtime)?.[0] as keyof typeof AHEAD];
      const loadedOf = ({ json }: Answer) => modules.filter((name) => json.loaded.includes(name));
      assert.deepEqual(loadedOf(await ofWaiting({ files, runtime })), modules);
      assert.deepEqual(loadedOf(await fromNothing.call(await fromNothing.fn({ files, runtime }))), []);
    });

  test("boots at idle priority, and has the normal one before it has a function", async () => {
    const files = {
      "index.mjs": `import { readFileSync } from "node:fs";
        export const handler = async () => readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS");`,
    };
    // No other test's processes have heaps of this size.
    const version = await waiting.fn({ files, memoryMb: 317 });
    const command = (await runtimes.install(version.runtime)).command(version.memoryMb).join("\0");
    const isOne = (pid: string) => /^\d+$/.test(pid) && nowOf(`/proc/${pid}/cmdline`).startsWith(command);
    const seen: string[] = [];
    waiting.invoker.prepare(version);
    await eventually(() => {
      const [pid] = readdirSync("/proc").filter(isOne);
      if (pid === undefined) return false;
      const priority = priorityOf(pid);
      if (seen.at(-1) !== priority) seen.push(priority);
      return priority === "normal";
    });
    assert.deepEqual(seen, ["idle", "normal"]);
    const [pid = ""] = readdirSync("/proc").filter(isOne);
    assert.equal((await waiting.call(version)).json, true);
    assert.equal(priorityOf(pid), "normal");
  });

  test("is one of as many as the machine's free memory holds, and goes when functions want that", async (t) => {
    // What is looked at every thirty seconds is looked at when this test says so.
    t.mock.timers.enable({ apis: ["setInterval"] });
    const look = () => t.mock.timers.tick(waitingSweepMs);
    const made = new Set<Sandbox>();
    const count = () => [...made].filter((sandbox) => !sandbox.hasEnded).length;
    let places = 2.5;
    const bench = await openInvoker("runc", {
      // A quarter of 16 GiB is kept, and one that waits takes its part of the rest.
      memory: () => Promise.resolve(memoryWith(0.25 + ((places - count()) * waitingBytes) / (16 * 2 ** 30))),
    });
    t.after(() => bench.close());
    const create = bench.sandboxes.create.bind(bench.sandboxes);
    bench.sandboxes.create = async (spec) => {
      const sandbox = await create(spec);
      made.add(sandbox);
      return sandbox;
    };
    const version = await bench.fn({ files: {} });
    for (let n = 0; n < 6; n++) bench.invoker.prepare({ ...version, session: version });
    await eventually(() => count() === 2);
    await sleep(1_000);
    assert.equal(count(), 2, "no more are made");
    places = 1.5;
    look();
    await eventually(() => count() === 1);
    places = 4.5;
    look();
    await eventually(() => count() === 4);
    await sleep(1_000);
    assert.equal(count(), 4);
    places = -100;
    look();
    await eventually(() => count() === 0);
  });

  test("fails in its init as any other", async () => {
    const broken = `import { readFileSync } from "node:fs";
      if (readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS")) throw new Error("early, after waiting");
      export const handler = async () => ({ waited: false });`;
    let json: { errorMessage?: string } = {};
    for (let tries = 0; tries < TRIES && json.errorMessage === undefined; tries++) {
      const version = await waiting.fn({ files: { "index.mjs": broken } });
      waiting.invoker.prepare(version);
      await quiet(tries);
      // Its second init may be by a process that was booted for it, and goes well then.
      await waiting.call(version);
      if (waiting.logged().includes("early, after waiting")) json = { errorMessage: "heard" };
    }
    assert.equal(json.errorMessage, "heard");
  });

  test("is not taken by a function that sets what a process reads when it starts", async () => {
    const code = `import { readFileSync } from "node:fs";
      export const handler = async () => ({
        waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS"), title: process.title });`;
    await ofWaiting({ files: { "index.mjs": code } });
    await sleep(1_000);
    const version = await waiting.fn({
      files: { "index.mjs": code },
      environment: { NODE_OPTIONS: "--title=mine" },
    });
    assert.deepEqual((await waiting.call(version)).json, { waited: false, title: "mine" });
  });

  test("registers extensions from within, which hear of invocations and have telemetry", async () => {
    const code = `${INTERNAL_EXTENSION}
      import { readFileSync } from "node:fs";
      const { id } = await register("inside", ["INVOKE"]);
      const { status } = await subscribe(id, await listen());
      const heard = [];
      void (async () => { for (;;) heard.push((await next(id)).json.requestId); })();
      export const handler = async (event, { awsRequestId }) => {
        while (!heard.includes(awsRequestId) || !told.some(({ type }) => type === "platform.start")) await new Promise((resolve) => setTimeout(resolve, 5));
        return { status, types: told.splice(0).map(({ type }) => type),
          waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS") };
      };`;
    const { json, requestId } = await ofWaiting({ files: { "index.mjs": code } });
    assert.equal(json.status, 200);
    for (const type of ["platform.initStart", "platform.initReport", "platform.start"])
      assert.ok(json.types.includes(type), `${type} in ${json.types.join(" ")}`);
    await eventually(() => waiting.logged().includes(`REPORT RequestId: ${requestId}`));
    assert.match(waiting.logged(), /\nEXTENSION\tName: inside\tState: Ready\tEvents: \[INVOKE\]\n/);
  });

  test("is not taken by a function with an external extension, which starts before its runtime", async () => {
    const order = `import { appendFileSync, readFileSync } from "node:fs"; appendFileSync("/tmp/order", "runtime ");
      export const handler = async () => ({ order: readFileSync("/tmp/order", "utf8"),
        waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS") });`;
    await ofWaiting({ files: { "index.mjs": order } });
    await sleep(1_000);
    const program = shellExtension(
      '"INVOKE"',
      'printf "extension " >> /tmp/order; register; while true; do next; done',
    );
    const layer = await waiting.fn({ files: { "extensions/first.sh": program } });
    const version = await waiting.fn({ files: { "index.mjs": order }, optDir: layer.codeDir });
    assert.deepEqual((await waiting.call(version)).json, { order: "extension runtime ", waited: false });
    assert.deepEqual((await waiting.call(version)).json, { order: "extension runtime ", waited: false });
  });

  test("keeps what functions write apart, and JSON logs as configured", async () => {
    const code = `import { readFileSync } from "node:fs";
      console.log("at init");
      export const handler = async () => { console.log("in handler"); process.stdout.write("raw\\n");
        return { waited: readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS") }; };`;
    const { requestId, tail } = await ofWaiting({ files: { "index.mjs": code }, logFormat: "JSON" });
    assert.equal(tail, "");
    const logged = () => waiting.logged().split("\n");
    const line = () => logged().find((each) => each.includes("in handler") && each.includes(requestId));
    await eventually(() => line() !== undefined);
    assert.equal(JSON.parse(line() ?? "{}").message, "in handler");
    await eventually(() => logged().some((each) => each.includes(`"message":"at init"`)));
  });

  test("is there for each of several functions that were just made", async () => {
    const code = `import { readFileSync } from "node:fs";
      export const handler = async () => readFileSync("/proc/self/environ", "latin1").includes("_LAMBENT_WAITS");`;
    // A memory size of their own: no other test has processes that wait with it.
    const input: FunctionInput = { files: { "index.mjs": code }, memoryMb: 300 };
    const firstCalls = async () => {
      const versions = await Promise.all([waiting.fn(input), waiting.fn(input), waiting.fn(input)]);
      for (const version of versions) waiting.invoker.prepare({ ...version, session: version });
      await sleep(2_000);
      const answers = await Promise.all(versions.map((version) => waiting.call(version)));
      return answers.every(({ json }) => json === true);
    };
    for (let tries = 0; tries < 5; tries++) if (await firstCalls()) return;
    assert.fail("three processes never waited at once");
  });
});

/** What a file of a process holds; nothing once the process is gone. */
function nowOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
