/**
 * The first call of a Java function with a heavy init phase (thousands of classes are loaded), on gVisor: restored from its snapshot against
 * booted, interleaved in one run. Before each round the server is started anew, so that nothing waits. `npm run bench:snapstart [-- ROUNDS]`; a
 * table on stderr, JSON on stdout. Takes root, runsc and a JDK of version 17 or later.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import type { Runtime } from "@aws-sdk/client-lambda";
import { deployFunction } from "../../test/harness/functions.ts";
import { clientOptions, startServer } from "../../test/harness/server.ts";
import { zipOf } from "../../test/harness/zip.ts";
import { compiled, javasHere, libraries } from "../../test/invoke/java-code.ts";
import { freePort } from "../contenders/server.ts";
import { median } from "../statistics.ts";

const ROUNDS_DEFAULT = 5;
const CLASSES = 2_500;
const MEMORY_MB = 1_769;
const CONTENDERS = ["booted", "restored"] as const;

const rounds = Number(process.argv[2] ?? ROUNDS_DEFAULT);
const runtime = javasHere.find((identifier) => ["java17", "java21", "java25"].includes(identifier));
if (runtime === undefined) throw new Error("this benchmark takes a JDK of version 17 or later");
const dataDir = await mkdtemp(join(tmpdir(), "lambent-bench-"));
const options = { sandbox: "runsc", dataDir, port: await freePort() } as const;
const client = new LambdaClient(clientOptions(`http://127.0.0.1:${options.port}`));
try {
  await deploy();
  const times = new Map(CONTENDERS.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    await using stack = new AsyncDisposableStack();
    const server = await startServer(options);
    stack.defer(() => server.stop());
    for (const name of round % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed())
      times.get(name)?.push(await firstCall(name));
  }
  report(times);
} finally {
  client.destroy();
  await rm(dataDir, { recursive: true, force: true });
}

/** The same function twice, with SnapStart and without. */
async function deploy(): Promise<void> {
  const server = await startServer(options);
  const jars = await libraries("aws-lambda-java-core");
  const files: Record<string, Buffer> = await compiled(sources(), jars);
  for (const jar of jars) files[`lib/${basename(jar)}`] = await readFile(jar);
  for (const FunctionName of CONTENDERS) {
    await deployFunction(
      clientOptions(server.endpoint),
      FunctionName,
      {},
      {
        Runtime: runtime as Runtime,
        Handler: "bench.Heavy",
        MemorySize: MEMORY_MB,
        Timeout: 120,
        Code: { ZipFile: await zipOf(files) },
        SnapStart: { ApplyOn: FunctionName === "restored" ? "PublishedVersions" : "None" },
      },
    );
    await client.send(new PublishVersionCommand({ FunctionName }));
    const wait = { client, maxWaitTime: 240, minDelay: 0.1, maxDelay: 1 };
    await waitUntilPublishedVersionActive(wait, { FunctionName, Qualifier: "1" });
  }
  await server.stop();
}

/** Milliseconds of the first call of version 1. */
async function firstCall(FunctionName: string): Promise<number> {
  const begun = performance.now();
  const input = { FunctionName, Qualifier: "1", LogType: "Tail" } as const;
  const { Payload, LogResult = "" } = await client.send(new InvokeCommand(input));
  const took = performance.now() - begun;
  const text = Payload?.transformToString() ?? "";
  if (Number(text) !== CLASSES) throw new Error(`${FunctionName} answered ${text}`);
  const tail = Buffer.from(LogResult, "base64").toString();
  const phase = /(Init|Restore) Duration: [\d.]+ ms/.exec(tail)?.[0] ?? "";
  console.error(`${FunctionName.padEnd(10)} ${took.toFixed(0)} ms   ${phase}`);
  return took;
}

/** A class that loads all others when it is. */
function sources(): Record<string, string> {
  const all: Record<string, string> = {
    "bench/Heavy.java": `package bench;
import com.amazonaws.services.lambda.runtime.*;
public class Heavy implements RequestHandler<Object, Integer> {
    private static int loaded;
    static {
        try { for (int i = 0; i < ${CLASSES}; i++) loaded += ((Part) Class.forName("bench.Part" + i).getDeclaredConstructor().newInstance()).one(i) > 0 ? 1 : 1; }
        catch (ReflectiveOperationException e) { throw new Error(e); }
    }
    @Override public Integer handleRequest(Object event, Context context) { return loaded; }
}`,
    "bench/Part.java": "package bench;\ninterface Part { int one(int x); }",
  };
  for (let at = 0; at < CLASSES; at++)
    all[`bench/Part${at}.java`] = `package bench;
public class Part${at} implements Part {
    private final java.util.Map<String, Integer> kept = new java.util.HashMap<>();
    public int one(int x) { for (int i = 0; i < 20; i++) kept.put("part ${at} " + i, two(i)); return kept.size() + two(x); }
    private int two(int x) { switch (x % 5) { case 0: return x; case 1: return x * ${at}; case 2: return x + 7; default: return "${at}".hashCode() ^ x; } }
}`;
  return all;
}

function report(times: ReadonlyMap<string, readonly number[]>): void {
  const [booted = [], restored = []] = CONTENDERS.map((name) => times.get(name));
  const ratio = median(booted.map((value, round) => value / (restored[round] ?? Number.NaN)));
  for (const [name, values] of times)
    console.error(`${name.padEnd(10)} ${median([...values]).toFixed(0)} ms`);
  console.error(`booted / restored (median of the rounds' ratios) ${ratio.toFixed(2)}`);
  console.log(
    JSON.stringify({ benchmark: "snapstart", unit: "ms", rounds: Object.fromEntries(times), ratio }),
  );
}
