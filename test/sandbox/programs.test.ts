/** Several programs in one sandbox: each with its own end, output and signals, whatever its words and variables hold. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { SandboxError } from "../../src/sandbox/index.ts";
import { collect, bench, runcMissing } from "./harness.ts";
import type { Bench, Kind } from "./harness.ts";

const PATH = { PATH: "/usr/bin:/bin" };
const shell = (script: string, ...rest: string[]) => ({
  command: ["/bin/sh", "-c", script, "sh", ...rest],
  workingDirectory: "/tmp",
  environment: PATH,
});

for (const kind of ["runc", "process"] as const satisfies Kind[])
  describe(`programs in a sandbox of the provider ${kind}`, { skip: kind === "runc" && runcMissing }, () => {
    let here: Bench;
    before(async () => {
      here = await bench(kind);
    });
    after(() => here.close());

    test("each ends for itself, and the sandbox lasts until it is stopped", async () => {
      const sandbox = await here.provider.create(await here.spec({}));
      const long = collect(sandbox, await sandbox.start(shell("echo long; exec sleep 100")));
      await long.says("long");
      const beside = { ...shell("echo to out; echo to err >&2; exit 4"), output: "shared" as const };
      const [one, two] = await Promise.all([sandbox.start(beside), sandbox.start(beside)]);
      assert.equal(one.stdout, two.stderr, "what is shared is one stream");
      let text = "";
      one.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      assert.equal((await one.exited).code, 4);
      assert.equal((await two.exited).code, 4);
      while (text.split("\n").length < 5) await once(one.stdout, "data");
      assert.deepEqual(text.trim().split("\n").sort(), ["to err", "to err", "to out", "to out"]);
      await long.program.signal("SIGTERM");
      assert.deepEqual(await long.program.exited, { code: undefined, signal: "SIGTERM", outOfMemory: false });
      await long.program.signal("SIGKILL");
      // The next life of a runtime writes to the same pipes, into a stream of its own.
      const next = collect(sandbox, await sandbox.start(shell("echo next; echo err >&2")));
      await next.program.exited;
      await next.silent;
      assert.deepEqual([next.stdout(), next.stderr(), long.stdout()], ["next\n", "err\n", "long\n"]);
      await sandbox.stop(0);
      await assert.rejects(sandbox.start(shell("true")), SandboxError);
    });

    test("a reset kills every program and what it left running; /tmp stays, and more can be started", async () => {
      const sandbox = await here.provider.create(await here.spec({}));
      const script =
        'cd "${TMPDIR:-/tmp}"; echo kept > file; (trap "" TERM; while sleep 0.05; do echo alive >> pulse; done) & echo begun; exec sleep 100';
      const program = collect(sandbox, await sandbox.start(shell(script)));
      await program.says("begun");
      await sandbox.reset();
      const exit = await program.program.exited;
      assert.equal(exit.signal, "SIGKILL");
      const look =
        'cd "${TMPDIR:-/tmp}"; cat file; touch pulse; a=$(wc -c < pulse); sleep 0.3; b=$(wc -c < pulse); [ "$a" = "$b" ] && echo quiet';
      const next = collect(sandbox, await sandbox.start(shell(look)));
      await next.program.exited;
      await next.silent;
      assert.equal(next.stdout(), "kept\nquiet\n");
      await sandbox.stop(0);
    });

    test("as many processes as there may be are gone when a reset is over", async () => {
      const sandbox = await here.provider.create(await here.spec({}));
      // All but what a program and its supervisor need.
      const script = "i=0; while [ $i -lt 1015 ]; do sleep 100 & i=$((i+1)); done; echo full; wait";
      for (let round = 0; round < 2; round++) {
        const full = collect(sandbox, await sandbox.start(shell(script)));
        await full.says("full");
        await sandbox.reset();
        const next = collect(sandbox, await sandbox.start(shell("true & true & true & wait; echo fine")));
        await next.program.exited;
        await next.silent;
        assert.equal(next.stdout(), "fine\n");
      }
      await sandbox.stop(0);
    });

    test("any bytes survive as arguments and variables", async () => {
      const odd = `' " \\ $HOME \`id\` $(id) \n\t; & # ! * ~ é ☃ \u0001\u0081\u0088 -n`;
      const words = [odd, "", "-e", "a=b", "x".repeat(20_000)];
      const variables = {
        ODD: odd,
        EMPTY: "",
        IFS: "i",
        PS1: odd,
        OPTIND: "no number",
        UID: "0",
        "a.b": "c",
      };
      const { stdout } = await here.node(
        "console.log(JSON.stringify([process.argv.slice(2), process.env]))",
        { command: ["/var/lang/bin/node", "/var/task/main.mjs", ...words], environment: variables },
      );
      const [seen, environment] = JSON.parse(stdout) as [string[], Record<string, string>];
      assert.deepEqual(seen, words);
      for (const [name, value] of Object.entries(variables)) assert.equal(environment[name], value, name);
    });

    test("a program whose path looks like a variable is run", async () => {
      const { exit, stdout } = await here.node("", {
        files: { "a=b": "#!/bin/sh\necho run" },
        command: ["/var/task/a=b"],
        environment: PATH,
      });
      assert.deepEqual([exit.code, stdout], [0, "run\n"]);
    });

    test("the signals that shells ignore in the background are not ignored", async () => {
      for (const signal of ["SIGINT", "SIGQUIT"] as const) {
        const { sandbox, program, says } = await here.start(shell("echo up; exec sleep 100"));
        await says("up");
        await program.signal(signal);
        assert.equal((await program.exited).signal, signal);
        await sandbox.stop(0);
      }
    });

    test("what nobody reads holds up nobody but its writer", async () => {
      const sandbox = await here.provider.create(await here.spec({}));
      const flood = await sandbox.start(shell("yes | head -c 10000000"));
      assert.equal((await (await sandbox.start({ ...shell("exit 3"), output: "shared" })).exited).code, 3);
      await sandbox.stop(0);
      assert.equal((await flood.exited).signal, "SIGKILL");
    });
  });
