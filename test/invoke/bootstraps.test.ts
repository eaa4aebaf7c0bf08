/** Each bootstrap alone, against a socket that speaks the frames: what it says, in which order, to the byte. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { FrameReader, encodeAssign, encodeInvoke, encodeRecall } from "../../src/invoke/frames.ts";
import type { RuntimeFrame } from "../../src/invoke/frames.ts";
import { runtimes } from "./harness.ts";

interface Talk {
  /** The next frame that the bootstrap sends. */
  readonly heard: () => Promise<RuntimeFrame>;
  readonly invoke: (requestId: string, payload: string) => void;
  /** @param behind What is under way. */
  readonly recall: (behind: string) => void;
  /** Makes one that waits a function's. */
  readonly assign: (environment: Record<string, string>) => void;
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
}

const BOOTSTRAPS = fileURLToPath(new URL("../../runtimes/", import.meta.url));

async function talk(
  language: { readonly command: readonly string[]; readonly file: string },
  code: string,
  script: (talk: Talk) => Promise<void>,
  waits = false,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-bootstrap-"));
  await writeFile(join(folder, language.file), code);
  const server = createServer();
  server.listen(join(folder, "s"));
  const [program = "", ...parameters] = language.command;
  // Text in variables is UTF-8 to Ruby where the locale says so.
  const locale = { LC_CTYPE: "C.UTF-8" };
  const known = { ...locale, _HANDLER: "app.handler", LAMBDA_TASK_ROOT: folder };
  const env = {
    _LAMBENT_SOCKET: join(folder, "s"),
    ...(waits ? { ...locale, _LAMBENT_WAITS: "1", OLD: "1" } : known),
  };
  const child = spawn(program, parameters, { env, stdio: "inherit" });
  const exit = once(child, "exit").then(([code]) => code as number | null);
  const [socket] = (await once(server, "connection")) as [Socket];
  const frames: RuntimeFrame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk);
    socket.emit("heard");
  });
  const heard = async () => {
    while (frames.length === 0) await once(socket, "heard");
    return frames.shift() as RuntimeFrame;
  };
  const invoke = (requestId: string, payload: string) => {
    const texts = { functionArn: "arn", traceHeader: "", clientContext: "", cognitoIdentity: "" };
    const frame = { deadline: Date.now() + 1_000, requestId, ...texts, payload: Buffer.from(payload) };
    for (const part of encodeInvoke(frame)) socket.write(part);
  };
  const assign = (environment: Record<string, string>) =>
    void socket.write(encodeAssign(folder, { ...known, ...environment }));
  try {
    await script({
      heard,
      invoke,
      recall: (behind) => void socket.write(encodeRecall(behind)),
      assign,
      child,
      exit,
    });
  } finally {
    child.kill("SIGKILL");
    socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const python = await runtimes.find("python3.11");
const [ruby] = (await runtimes.list()).filter((one) => one.identifier.startsWith("ruby") && one.installed);
const LANGUAGES = {
  nodejs: {
    language: { command: [process.execPath, join(BOOTSTRAPS, "nodejs/index.mjs")], file: "app.mjs" },
    echo: "export const handler = async (e) => { process.stdout.write('out'); if (e === 'fail') throw new Error('no'); if (e === 'exit') process.exit(3); return e; };",
    broken: "throw new Error('early');",
    variables:
      "export const handler = async () => [process.env.NEW, process.env.OLD ?? null, process.cwd() === process.env.LAMBDA_TASK_ROOT];",
    error: "Error",
    status: 1,
  },
  ...(python.status === "ready"
    ? {
        python: {
          language: {
            command: [
              python.listing.detail,
              "-s",
              join(BOOTSTRAPS, "python/bootstrap.py"),
              "/opt",
              "/nowhere",
            ],
            file: "app.py",
          },
          echo: "import sys\ndef handler(e, c):\n  sys.stdout.write('out')\n  if e == 'fail': raise ValueError('no')\n  if e == 'exit': sys.exit(3)\n  return e\n",
          broken: "raise ValueError('early')",
          variables:
            "import os\ndef handler(e, c):\n  return [os.environ['NEW'], os.environ.get('OLD'), os.getcwd() == os.environ['LAMBDA_TASK_ROOT']]\n",
          error: "ValueError",
          status: 1,
        },
      }
    : {}),
  ...(ruby
    ? {
        ruby: {
          language: { command: [ruby.detail, join(BOOTSTRAPS, "ruby/bootstrap.rb")], file: "app.rb" },
          echo: "def handler(event:, context:)\n  print 'out'\n  raise 'no' if event == 'fail'\n  exit!(3) if event == 'exit'\n  event\nend\n",
          broken: "raise 'early'",
          variables:
            "def handler(event:, context:) = [ENV['NEW'], ENV['OLD'], Dir.pwd == ENV['LAMBDA_TASK_ROOT']]\n",
          // What AWS's runtime tells the platform of an error that it does not know.
          error: "Function<UserException>",
          status: 252,
        },
      }
    : {}),
};
if (!ruby) console.log("# SKIPPED the Ruby bootstrap alone: there is no Ruby here");
if (python.status !== "ready")
  console.log("# SKIPPED the Python bootstrap alone: there is no python3.11 here");

/** The next frame that is no log. */
async function afterLogs(heard: Talk["heard"]): Promise<RuntimeFrame> {
  let frame = await heard();
  while (frame.type === "log") frame = await heard();
  return frame;
}

for (const [name, { language, echo, broken, variables, error, status }] of Object.entries(LANGUAGES)) {
  test(`the ${name} bootstrap says hello, is ready, logs, answers, fails, and exits`, async () => {
    await talk(language, echo, async ({ heard, invoke, child, exit }) => {
      assert.deepEqual(await heard(), {
        type: "hello",
        version: name === "nodejs" ? 2 : 1,
        pid: child.pid,
      });
      assert.deepEqual(await heard(), {
        type: "initResult",
        ok: true,
        errorType: "",
        payload: Buffer.alloc(0),
      });
      invoke("r-1", '"hi ü"');
      const written = await heard();
      assert.ok(written.type === "log" && !written.record && written.payload.toString() === "out");
      const answer = await heard();
      assert.ok(answer.type === "response" && answer.requestId === "r-1");
      assert.equal(JSON.parse(answer.payload.toString()), "hi ü");
      invoke("r-2", '"fail"');
      await heard();
      const record = await heard();
      assert.ok(record.type === "log" && record.record);
      const failure = await afterLogs(heard);
      assert.ok(failure.type === "error" && failure.requestId === "r-2" && failure.errorType === error);
      assert.equal(JSON.parse(failure.payload.toString()).errorMessage, "no");
      invoke("r-3", '"exit"');
      assert.equal((await heard()).type, "log");
      assert.equal(await exit, 3);
    });
  });

  test(`the ${name} bootstrap waits to be assigned, and becomes what it is told`, async () => {
    const script = async ({ heard, invoke, assign, child }: Talk) => {
      assert.deepEqual(await heard(), {
        type: "hello",
        version: name === "nodejs" ? 2 : 1,
        pid: child.pid,
      });
      assert.deepEqual(await heard(), { type: "ready" });
      assign({ NEW: "é=\n☃" });
      const result = await heard();
      assert.ok(result.type === "initResult" && result.ok);
      invoke("r-1", "{}");
      const answer = await heard();
      assert.ok(answer.type === "response" && answer.requestId === "r-1");
      assert.deepEqual(JSON.parse(answer.payload.toString()), ["é=\n☃", null, true]);
    };
    await talk(language, variables, script, true);
  });

  test(`the ${name} bootstrap tells a failed init and exits with ${status}`, async () => {
    await talk(language, broken, async ({ heard, exit }) => {
      assert.equal((await heard()).type, "hello");
      assert.equal((await heard()).type, "log");
      const result = await afterLogs(heard);
      assert.ok(result.type === "initResult" && !result.ok && result.errorType === error);
      assert.equal(await exit, status);
    });
  });
}

const SLOW = `export const handler = async (e) => {
  if (e.block) { const end = Date.now() + e.block; while (Date.now() < end); }
  if (e.wait) await new Promise((r) => setTimeout(r, e.wait));
  if (e.exit) setTimeout(() => process.exit(7), 20);
  if (e.late) await new Promise((r) => setTimeout(r, e.late));
  return e.n;
};`;
const nodejs = LANGUAGES.nodejs.language;
const answered = (frame: RuntimeFrame) =>
  frame.type === "response"
    ? Number(frame.payload.toString())
    : frame.type === "recalled"
      ? frame.requestIds
      : frame;

test("the nodejs bootstrap runs what it is handed ahead in order, one after the other", async () => {
  await talk(nodejs, SLOW, async ({ heard, invoke }) => {
    await heard();
    await heard();
    for (const n of [1, 2, 3, 4]) invoke(`r-${n}`, JSON.stringify({ n, wait: n === 2 ? 30 : 0 }));
    for (const n of [1, 2, 3, 4]) assert.equal(answered(await heard()), n);
    invoke("r-5", '{"n":5}');
    assert.equal(answered(await heard()), 5);
  });
});

test("the nodejs bootstrap begins nothing that was recalled while it waited, or while it was blocked", async () => {
  await talk(nodejs, SLOW, async ({ heard, invoke, recall }) => {
    await heard();
    await heard();
    // It has read all of this when the first one is over.
    invoke("r-1", '{"n":1,"wait":200}');
    invoke("r-2", '{"n":2}');
    await sleep(50);
    recall("r-1");
    assert.deepEqual(answered(await heard()), ["r-2"]);
    assert.equal(answered(await heard()), 1);
    // It has read nothing of this while the first one is under way.
    invoke("r-3", '{"n":3,"block":200}');
    await sleep(50);
    invoke("r-4", '{"n":4}');
    await sleep(20);
    invoke("r-5", '{"n":5}');
    recall("r-3");
    invoke("r-6", '{"n":6}');
    assert.equal(answered(await heard()), 3);
    assert.deepEqual(answered(await heard()), ["r-4", "r-5"]);
    assert.equal(answered(await heard()), 6);
    recall("r-6");
    assert.deepEqual(answered(await heard()), []);
    // It has not begun what is under way when it reads the recall.
    invoke("r-7", '{"n":7,"block":100}');
    await sleep(20);
    invoke("r-8", '{"n":8}');
    invoke("r-9", '{"n":9}');
    recall("r-8");
    assert.equal(answered(await heard()), 7);
    assert.deepEqual(answered(await heard()), ["r-9"]);
    assert.equal(answered(await heard()), 8);
  });
});

test("the nodejs bootstrap gives back what has not begun when the function ends the process", async () => {
  await talk(nodejs, SLOW, async ({ heard, invoke, exit }) => {
    await heard();
    await heard();
    invoke("r-1", '{"n":1,"exit":true,"late":1000}');
    invoke("r-2", '{"n":2}');
    assert.deepEqual(answered(await heard()), ["r-2"]);
    assert.equal(await exit, 7);
  });
});
