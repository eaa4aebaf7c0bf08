/** A sandbox that was made before it is known what for: code comes in later, limits change, nothing of it can be written. */
import assert from "node:assert/strict";
import { readFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { mountCalls, programCalls } from "../../src/sandbox/oci/mount-calls.ts";
import type { MountCalls } from "../../src/sandbox/oci/mount-calls.ts";
import { bench, collect, runcMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";

const needsRoot: string | false =
  runcMissing ?? (process.getuid?.() === 0 ? false : "mounting into a sandbox that runs needs root");
if (needsRoot && !runcMissing) console.log(`# SKIPPED late mounts: ${needsRoot}`);

describe("mounts that come late", { skip: needsRoot }, () => {
  let here: Bench;
  before(async () => {
    here = await bench("runc");
  });
  after(() => here.close());

  test("show to what runs already, read-only, without set-user-id and devices", async () => {
    assert.equal(here.provider.capabilities.lateMounts, true);
    const { codeDir, ...bare } = await here.spec({ files: { said: "hello\n" } });
    const layer = await here.spec({ files: { layered: "layer\n" } });
    const sandbox = await here.provider.create({ ...bare, memoryMb: 128 });
    const { program, stdout, stderr, says, silent } = collect(
      sandbox,
      await sandbox.start({
        command: [
          "/bin/sh",
          "-c",
          `ls /var/task /opt; echo waiting; while ! cat /opt/layered 2>/dev/null; do sleep 0.01; done
           cd /var/task && cat said; echo x > said; grep -E ' /(var/task|opt) ' /proc/mounts`,
        ],
        workingDirectory: "/var/task",
        environment: { PATH: "/usr/bin:/bin" },
      }),
    );
    await says("waiting");
    await sandbox.mount(codeDir, "/var/task");
    await sandbox.mount(layer.codeDir, "/opt");
    await program.exited;
    await silent;
    const lines = stdout().trim().split("\n");
    assert.deepEqual(lines.slice(0, 5), ["/opt:", "", "/var/task:", "waiting", "layer"]);
    assert.equal(lines[5], "hello");
    assert.match(stderr(), /Read-only file system/);
    for (const path of ["/var/task", "/opt"]) {
      const mounted = lines.filter((line) => line.includes(` ${path} `)).at(-1) ?? "";
      assert.match(mounted, / ro,nosuid,nodev/, path);
    }
    await assert.rejects(sandbox.mount(codeDir, "/etc"), /nothing can be mounted at \/etc any more/);
    await sandbox.stop(0);
  });

  test("limits that change hold: memory up and down", async () => {
    const { stdout, program, sandbox, says, silent } = await here.start({
      files: {
        "main.mjs": `import { readFileSync } from "node:fs"; console.log("ready");
          const eat = (megabytes) => Buffer.alloc(megabytes << 20, 1); const kept = [];
          setInterval(() => { kept.push(eat(8)); if (kept.length === 25) console.log("200 MB"); }, 1);`,
      },
      memoryMb: 128,
    });
    await says("ready");
    await sandbox.setLimits({ memoryMb: 512 });
    await says("200 MB");
    assert.ok((await sandbox.peakMemoryBytes()) > 200 * 2 ** 20);
    assert.equal((await program.exited).outOfMemory, true);
    await silent;
    assert.equal(stdout(), "ready\n200 MB\n");
    await sandbox.stop(0);
    const less = await here.start({
      files: { "main.mjs": `setInterval(() => (globalThis.kept ??= []).push(Buffer.alloc(8 << 20, 1)), 10)` },
      memoryMb: 4_096,
    });
    await less.sandbox.setLimits({ memoryMb: 128 });
    assert.equal((await less.program.exited).outOfMemory, true);
    await less.sandbox.stop(0);
  });

  for (const [name, calls] of [
    ["the C library", mountCalls()],
    ["the C library by way of a stage", mountCalls(false)],
    ["mount(8)", programCalls],
  ] as const satisfies readonly (readonly [string, MountCalls])[])
    test(`a bind by ${name} is never seen writable, and leaves nothing`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "lambent-mounts-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const [source, shared, stage] = ["source", "shared", "stage"].map((each) => join(folder, each));
      for (const each of [source, `${shared}/point`, stage]) await mkdir(String(each), { recursive: true });
      await writeFile(`${source}/file`, "text");
      await calls.bindShared(String(shared));
      await calls.bind(String(source), `${shared}/point`, String(stage));
      const mounts = async () =>
        (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(folder));
      assert.equal(await readFile(`${shared}/point/file`, "utf8"), "text");
      await assert.rejects(writeFile(`${shared}/point/file`, "other"), /EROFS/);
      const lines = await mounts();
      assert.equal(lines.length, 2, lines.join("\n"));
      assert.match(lines.find((line) => line.includes("/point ")) ?? "", / ro,nosuid,nodev/);
      await assert.rejects(
        calls.bind("/nowhere", `${shared}/point`, String(stage)),
        /mount.*(No such file|does not exist)/s,
      );
      await calls.detach(String(shared));
      await calls.detach(String(shared));
      assert.deepEqual(await mounts(), []);
    });
});
