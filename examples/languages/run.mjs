/** `npm run examples [-- LANGUAGE ...] [--endpoint URL]`: builds, deploys and calls the same function in each language. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { ZipFile } from "yazl";

const TEXT = "The quick brown fox and the lazy dog and the cat";
const WORDS = { the: 3, and: 2, brown: 1, cat: 1, dog: 1, fox: 1, lazy: 1, quick: 1 };
const BUILD_MS_MAX = 900_000;

/**
 * What each needs to be built, how that is done in its folder, and what goes into the zip; the newest of its runtimes that the server has
 * is taken.
 */
const LANGUAGES = {
  nodejs: {
    runtimes: ["nodejs26.x", "nodejs24.x", "nodejs22.x"],
    handler: "index.handler",
    files: ["index.mjs"],
  },
  python: {
    runtimes: ["python3.15", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"],
    handler: "app.handler",
    files: ["app.py"],
  },
  ruby: {
    runtimes: ["ruby4.0", "ruby3.4", "ruby3.3", "ruby3.2", "ruby3.1"],
    handler: "app.handler",
    files: ["app.rb"],
  },
  java: {
    runtimes: ["java25", "java21", "java17"],
    handler: "example.Words",
    needs: "mvn",
    // A jar of the function's own classes; the interfaces of aws-lambda-java-core are the runtime's.
    build: (out) => ["mvn", "--quiet", "--batch-mode", `-DbuildDirectory=${out}`, "package"],
    files: ["words-1.jar"],
    under: "lib/",
  },
  dotnet: {
    runtimes: ["dotnet10", "dotnet8"],
    handler: "words::Example.Words::Handle",
    needs: "dotnet",
    // prettier-ignore
    build: (out) => ["dotnet", "publish", "--nologo", "-c", "Release", "--artifacts-path", join(out, "build"), "-o", join(out, "code")],
    from: "code",
  },
  go: {
    runtimes: ["provided.al2023"],
    handler: "bootstrap",
    needs: "go",
    asks: "version",
    build: (out) => ["go", "build", "-mod=mod", "-tags", "lambda.norpc", "-o", join(out, "bootstrap"), "."],
    environment: { CGO_ENABLED: "0" },
    files: ["bootstrap"],
  },
  rust: {
    runtimes: ["provided.al2023"],
    handler: "bootstrap",
    needs: "cargo",
    build: (out) => ["cargo", "build", "--quiet", "--release", "--target-dir", out],
    files: ["release/bootstrap"],
  },
  shell: { runtimes: ["provided.al2023"], handler: "bootstrap", needs: "curl", files: ["bootstrap"] },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { endpoint: { type: "string" } },
});
const unknown = positionals.filter((name) => !(name in LANGUAGES));
if (unknown.length > 0) {
  console.error(`There is no example ${unknown.join(", ")}; there are ${Object.keys(LANGUAGES).join(", ")}.`);
  process.exit(2);
}
const server = values.endpoint ? undefined : await startServer();
try {
  await runAll(values.endpoint ?? server.endpoint);
} finally {
  await server?.stop();
}

async function runAll(endpoint) {
  const credentials = { accessKeyId: "000000000000", secretAccessKey: "examples" };
  const options = { endpoint, region: "us-east-1", credentials };
  const lambda = new LambdaClient(options);
  const role = await createRole(new IAMClient(options));
  for (const [name, language] of Object.entries(LANGUAGES)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const why = await run(lambda, role, name, language);
    if (why !== undefined) console.log(`${name.padEnd(8)} SKIPPED: ${why}`);
  }
}

/** Answers why it could not be run here. @throws Where it could and failed. */
async function run(lambda, role, name, language) {
  const out = await mkdtemp(join(tmpdir(), `lambent-example-${name}-`));
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url));
  try {
    const { needs, asks = "--version" } = language;
    // A dotnet without an SDK says so when it is asked.
    if (needs && spawnSync(needs, [asks]).status !== 0) return `${needs} ${asks} does not work here`;
    if (language.build) {
      const failure = await build(language.build(out), folder, language.environment);
      if (failure !== undefined) throw new Error(`${name} could not be built: ${failure}`);
    }
    const zip = await zipOf(language.build ? join(out, language.from ?? "") : folder, language);
    const { runtime, refusal } = await create(lambda, role, name, language, zip);
    if (runtime === undefined) return refusal;
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 300, minDelay: 0.1, maxDelay: 1 },
      { FunctionName: name },
    );
    const cold = await call(lambda, name);
    const warm = await call(lambda, name);
    for (const { answer } of [cold, warm]) assert.deepEqual(answer.words, WORDS);
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
    const size = `${Math.ceil(zip.length / 1024)} KB`;
    console.log(
      `${name.padEnd(8)} ${runtime.padEnd(16)} ${cold.answer.language.padEnd(18)} zip ${size.padStart(8)}  ` +
        `cold ${cold.ms.toFixed(0).padStart(5)} ms  warm ${warm.ms.toFixed(1).padStart(5)} ms`,
    );
    return undefined;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** The first of its runtimes that the server takes; where it takes none, why it refused the last. */
async function create(lambda, Role, FunctionName, { runtimes, handler }, ZipFile) {
  let refusal;
  for (const Runtime of runtimes) {
    try {
      const input = { FunctionName, Role, Runtime, Handler: handler, Code: { ZipFile } };
      await lambda.send(new CreateFunctionCommand({ ...input, MemorySize: 512, Timeout: 30 }));
      return { runtime: Runtime };
    } catch (error) {
      if (!["InvalidParameterValueException", "ValidationException"].includes(error.name)) throw error;
      refusal = error.message;
    }
  }
  return { refusal };
}

async function call(lambda, FunctionName) {
  const began = performance.now();
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify({ text: TEXT }) }),
  );
  const ms = performance.now() - began;
  const said = Buffer.from(Payload).toString();
  assert.equal(FunctionError, undefined, said);
  return { ms, answer: JSON.parse(said) };
}

/** Answers what a build that failed said. */
async function build([program, ...words], cwd, environment) {
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: BUILD_MS_MAX,
  });
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on("close", resolve)),
  ]);
  return code === 0 ? undefined : `${program} ended with ${code}\n${out}${err}`;
}

/** @param files Those that go in, by their own names; all where it is undefined. */
async function zipOf(folder, { files, under = "" }) {
  const names = files ?? (await readdir(folder, { recursive: true }));
  const zip = new ZipFile();
  for (const name of names) {
    const file = join(folder, name);
    const info = await stat(file);
    if (!info.isFile()) continue;
    const inside = under + (files ? name.slice(name.lastIndexOf("/") + 1) : relative(folder, file));
    zip.addBuffer(await readFile(file), inside, { mode: name.endsWith("bootstrap") ? 0o100755 : 0o100644 });
  }
  zip.end();
  return buffer(zip.outputStream);
}

async function createRole(iam) {
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  // A server that runs may have those of another run still.
  const RoleName = `examples-${randomUUID()}`;
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  return Role.Arn;
}

/** On fresh data, and a port of its own. */
async function startServer() {
  const { start } = await import("../../src/index.ts");
  return start({ logLevel: "error" });
}
