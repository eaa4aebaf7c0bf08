/** The contract that every provider keeps: how a sandbox starts, speaks, freezes and ends. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxError } from "../../src/sandbox/index.ts";
import { bench, runcMissing } from "./harness.ts";
import type { Bench, Kind } from "./harness.ts";

for (const kind of ["runc", "process"] as const satisfies Kind[])
  describe(`a sandbox of the provider ${kind}`, { skip: kind === "runc" && runcMissing }, () => {
    let here: Bench;
    const server = createServer((socket) => socket.end("endpoint\n"));
    before(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      here = await bench(kind, { serverPorts: [(server.address() as AddressInfo).port] });
    });
    after(async () => {
      await here.close();
      server.close();
    });

    test("says what isolates it, and what is missing", () => {
      const { isolation } = here.provider;
      if (kind === "process") {
        assert.equal(isolation.provider, "process");
        assert.match(isolation.missing.join(" "), /NOT isolated/);
        return;
      }
      assert.match(isolation.provider, /^runc/);
      assert.equal(isolation.namespaces, true);
      if (isolation.provider === "runc") assert.deepEqual(isolation.missing, []);
      else assert.ok(isolation.missing.length > 0);
    });

    test("passes on output and exit code", async () => {
      const { exit, stdout, stderr } = await here.node(
        `console.log("to out"); console.error("to err"); process.exitCode = 7`,
      );
      assert.deepEqual(exit, { code: 7, signal: undefined, outOfMemory: false });
      assert.equal(stdout, "to out\n");
      assert.equal(stderr, "to err\n");
    });

    test("loses nothing of a megabyte written just before the end", async () => {
      const { stdout } = await here.node(`import { writeSync } from "node:fs";
        const line = "x".repeat(1023) + "\\n";
        for (let i = 0; i < 1024; i++) for (let done = 0; done < 1024; ) try { done += writeSync(1, line.slice(done)); } catch {}`);
      assert.equal(stdout.length, 1024 * 1024);
    });

    for (const [name, script] of [
      ["SIGKILL", `process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000)`],
      ["SIGTERM", `process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)`],
      ["SIGABRT", `process.abort()`],
    ] as const)
      test(`tells that ${name} ended it, sent by itself`, async () => {
        const { exit } = await here.node(script);
        assert.deepEqual(exit, { code: undefined, signal: name, outOfMemory: false });
      });

    test("gives exactly the environment that was asked for", async () => {
      const { stdout } = await here.node(`console.log(JSON.stringify(process.env))`, {
        environment: { ONLY: "this é=$x" },
      });
      const seen = JSON.parse(stdout) as Record<string, string>;
      for (const name of ["PWD", "SHLVL", "_", "OLDPWD", "TMPDIR"]) delete seen[name];
      assert.deepEqual(seen, { ONLY: "this é=$x" });
    });

    test("works in the code folder, and finds the layout where `inside` says", async () => {
      const { stdout } = await here.node(
        `import { readFileSync, writeFileSync } from "node:fs";
         process.chdir(process.env.TASK);
         writeFileSync(process.env.TMP + "/x", "tmp works");
         console.log(readFileSync("main.mjs", "utf8").length > 0, readFileSync(process.env.TMP + "/x", "utf8"))`,
        { environment: (inside) => ({ TASK: inside.path("/var/task"), TMP: inside.path("/tmp") }) },
      );
      assert.equal(stdout, "true tmp works\n");
    });

    test("ends with 127 when its program is not there", async () => {
      const { exit, stderr } = await here.node("", { command: ["/var/task/bootstrap"] });
      assert.equal(exit.code, 127);
      assert.match(stderr, /not found|No such file/);
    });

    test("reaches the server's own port at `addressOf`, and its Runtime API at `runtimeApi`", async () => {
      const port = (server.address() as AddressInfo).port;
      const { stdout } = await here.node(
        `import { connect } from "node:net";
         for (const address of [process.env.ENDPOINT, process.env.RUNTIME_API]) {
           const [host, port] = address.split(":");
           await new Promise((done) => connect(port, host).on("data", (text) => process.stdout.write(text)).on("close", done));
         }`,
        {
          environment: (inside) => ({
            ENDPOINT: inside.addressOf(port),
            RUNTIME_API: String(inside.runtimeApi),
          }),
          onRuntimeApiConnection: (socket) => socket.end("runtime api\n"),
        },
      );
      assert.equal(stdout, "endpoint\nruntime api\n");
    });

    test("stands still while frozen, and goes on when thawed", async () => {
      const { sandbox, program, stdout, says } = await here.start({
        files: { "main.mjs": `let i = 0; setInterval(() => console.log("tick " + ++i), 5)` },
      });
      await says("tick 3");
      await sandbox.freeze();
      await sleep(30);
      const frozen = stdout().length;
      await sleep(100);
      assert.equal(stdout().length, frozen);
      await sandbox.thaw();
      const next = stdout().split("\n").length + 3;
      await says(`tick ${next}`);
      await sandbox.freeze();
      // A frozen one can be stopped.
      await sandbox.stop(0);
      assert.equal((await program.exited).signal, "SIGKILL");
    });

    test("is given its grace to end after SIGTERM", async () => {
      const { sandbox, program, stdout, says, silent } = await here.start({
        files: {
          "main.mjs": `process.on("SIGTERM", () => { console.log("last words"); process.exit(3); });
            setInterval(() => {}, 1000); console.log("ready")`,
        },
      });
      await says("ready");
      await sandbox.stop(10_000);
      await silent;
      assert.equal(stdout(), "ready\nlast words\n");
      assert.deepEqual(await program.exited, { code: 3, signal: undefined, outOfMemory: false });
    });

    test("is killed with its children when it ignores SIGTERM", async () => {
      const { sandbox, program, says, silent } = await here.start({
        files: {
          "main.mjs": `import { spawn } from "node:child_process";
            process.on("SIGTERM", () => {});
            spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); console.log('child'); setInterval(() => {}, 1000)"], { stdio: "inherit" });
            setInterval(() => {}, 1000)`,
        },
      });
      await says("child");
      await sandbox.stop(50);
      assert.equal((await program.exited).signal, "SIGKILL");
      // The child held the pipe; its end is the child's end.
      await silent;
    });

    test("leaves no child behind when its first process ends by itself", async () => {
      const { exit } = await here.node(`import { spawn } from "node:child_process";
        const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit", detached: ${kind === "runc"} });
        child.on("spawn", () => process.exit(0))`);
      // here.node waits until nobody holds the pipes.
      assert.equal(exit.code, 0);
    });

    test("measures memory while it runs", async () => {
      const { sandbox, says } = await here.start({
        files: {
          "main.mjs": `globalThis.keep = Buffer.alloc(64 << 20, 1); console.log("ready"); setInterval(() => {}, 1000)`,
        },
      });
      await says("ready");
      const peak = await sandbox.peakMemoryBytes();
      assert.ok(peak > 64 * 2 ** 20 && peak < 256 * 2 ** 20, `${peak} bytes`);
      await sandbox.limitCpu();
      await sandbox.stop(0);
      assert.ok((await sandbox.peakMemoryBytes()) >= peak);
      await sandbox.stop(0);
      await sandbox.freeze();
      await sandbox.thaw();
    });

    test("refuses what cannot be started, by name", async () => {
      const missing = { languageMounts: [{ source: "/nowhere/at/all", target: "/var/lang" }] };
      await assert.rejects(here.node("", missing), /\/nowhere\/at\/all, wanted at \/var\/lang, is not there/);
      await assert.rejects(here.node("", { codeDir: "/nowhere/at/all" }), SandboxError);
      await assert.rejects(here.node("", { id: "Not An Id" }), /"Not An Id" is no sandbox id/);
      const { sandbox } = await here.start({ id: "twice", command: ["/bin/sh", "-c", "sleep 60"] });
      await assert.rejects(here.node("", { id: "twice" }), /there is a sandbox twice already/);
      await sandbox.stop(0);
      assert.equal((await here.node("", { id: "twice" })).exit.code, 0);
    });
  });
