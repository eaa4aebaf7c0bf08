/** What a function in a sandbox cannot see, change or call. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertForbidden } from "../scenarios/forbidden-calls.ts";
import { bench, python, runcMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";

const needsPython: string | false = typeof python === "string" ? python : false;
if (needsPython) console.log(`# SKIPPED system call probes: ${needsPython}`);

describe("inside a sandbox", { skip: runcMissing }, () => {
  let here: Bench;
  before(async () => {
    here = await bench("runc");
  });
  after(() => here.close());
  const shell = (script: string, options = {}) =>
    here.node("", { command: ["/bin/sh", "-c", script], environment: { PATH: "/usr/bin:/bin" }, ...options });

  test("the user is sbx_user1051, without capabilities, under the filter, unable to gain privileges", async () => {
    const { stdout } = await shell(
      `id; grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'; ulimit -n; ulimit -c`,
    );
    const uid =
      here.provider.isolation.provider === "runc"
        ? /^uid=993\(sbx_user1051\) gid=990\(sbx_user1051\)/
        : /^uid=/;
    assert.match(stdout, uid);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.match(stdout, new RegExp(`${set}:0000000000000000\n`));
    assert.match(stdout, /NoNewPrivs:1\n/);
    assert.match(stdout, /Seccomp:2\n/);
    assert.match(stdout, /\n1024\n0\n$/);
  });

  test("nothing but /tmp and /dev/shm can be written", async () => {
    const { stdout } = await shell(
      `for place in / /etc /usr/bin /usr/lib /var /var/task /opt /var/runtime /run /dev /proc/sys/kernel /home /root /sys; do
         if (echo x > $place/probe) 2>/dev/null; then echo "wrote $place"; fi
       done; echo x > /tmp/probe && cat /tmp/probe; echo x > /dev/shm/probe && cat /dev/shm/probe`,
    );
    assert.equal(stdout, "x\nx\n");
  });

  test("code, layers and runtime are read-only, and theirs alone", async () => {
    const secret = await here.spec({ files: { "secret.txt": "another function's" } });
    const { stdout } = await shell(
      `ls /var/task /opt /var/runtime; cat "${secret.codeDir}/secret.txt"; ls "${here.folder}"; chmod 777 /var/task/main.mjs; rm -f /var/task/main.mjs; ls /var/task`,
    );
    assert.equal(stdout, "/opt:\n\n/var/runtime:\n\n/var/task:\nmain.mjs\nmain.mjs\n");
  });

  test("the host's accounts, homes, state and programs are not there", async () => {
    const { stdout, stderr } = await shell(
      `cat /etc/shadow; cat /etc/passwd; ls -A /etc; ls -A /var; ls -A /run; ls / ; ls /root /home; ls -A /sys; command -v mount nft runc perl python3 apt`,
    );
    assert.doesNotMatch(stdout, /\$y\$|\$6\$|:\/root:\/bin/);
    assert.match(stderr, /\/etc\/shadow: No such file/);
    assert.match(stdout, /\nlambent\nopt|task/);
    for (const name of ["runc", "perl", "python3", "nft", "apt"])
      assert.doesNotMatch(stdout, new RegExp(`/${name}\n`));
    assert.match(stderr, /'\/root': No such file|cannot access '?\/root/);
    assert.match(stdout, /^var$/m);
    assert.doesNotMatch(stdout, /^(boot|mnt|media|srv|work)$/m);
  });

  test("devices are the harmless ones", async () => {
    const { stdout } = await shell(
      `ls -1 /dev; cat /dev/null; head -c 4 /dev/zero | od -An -tx1; test "$(head -c 8 /dev/urandom | wc -c)" = 8 && echo random`,
    );
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .filter((name) => !/^(core|fd|std|full|null|random|shm|tty|urandom|zero|ptmx)/.test(name)),
      [" 00 00 00 00"],
    );
    assert.match(stdout, /random\n$/);
  });

  test("a script may open /dev/stdout and /dev/stderr", async () => {
    const { stdout, stderr } = await shell(`echo out > /dev/stdout; echo err > /dev/stderr`);
    assert.equal(stdout, "out\n");
    assert.equal(stderr, "err\n");
  });

  test("only its own processes, host name and mounts are seen", async () => {
    const { stdout } = await shell(
      `ls /proc | grep -c '^[0-9]'; cat /proc/1/comm; uname -n; cat /proc/mounts; cat /proc/keys /proc/kcore 2>/dev/null | wc -c`,
    );
    const [processes, first, name] = stdout.split("\n");
    assert.ok(Number(processes) <= 7, `${processes} processes`);
    assert.equal(first, "sh");
    if (here.provider.isolation.network === "isolated") assert.match(name ?? "", /^169-254-\d+-\d+$/);
    assert.match(stdout, /\n0\n$/);
    for (const path of ["/var/task", "/tmp", "/etc/hosts"])
      assert.match(stdout, new RegExp(` ${path} \\S+ \\S*nosuid,nodev`));
  });

  test("the status of process 1 cannot be forged", async () => {
    const { exit } = await shell(`echo 0 > /proc/1/fd/3; kill -9 1; exit 9`);
    assert.equal(exit.code, 9);
  });

  test("certificates, time zones, accounts and the tools of the OS-only runtime are there", async () => {
    const { stdout } = await shell(
      `grep -c 'BEGIN CERT' /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt | head -1; TZ=Asia/Tokyo date +%Z; whoami; ` +
        `echo abc | sed s/b/x/ | awk '{print $1}'; env | grep -c HOME; bash -c 'echo \${BASH_VERSION%%.*}'; curl --version | head -c 4`,
    );
    assert.match(stdout, /\.crt:\d\d+\nJST\n(sbx_user1051|root)\naxc\n0\n\d\ncurl$/);
  });

  test("layers, runtime and sockets lie where AWS has them", async () => {
    const folder = async (name: string) => (await here.spec({ files: { [name]: name } })).codeDir;
    const [optDir, runtimeDir, socketDir] = await Promise.all([
      folder("opt"),
      folder("runtime"),
      folder("sockets"),
    ]);
    const server = createServer((socket) => socket.end("heard")).listen(join(socketDir, "server"));
    await once(server, "listening");
    const script = `import { execSync } from "node:child_process"; import { connect } from "node:net";
      // A function that could write beside its socket would fill the host's disk.
      execSync("cat /opt/opt /var/runtime/runtime /run/lambent/sockets; echo x > /run/lambent/mine || rm /run/lambent/server || true", { stdio: "inherit", shell: "/bin/sh" });
      connect("/run/lambent/server").pipe(process.stdout);`;
    const { stdout, stderr } = await here.node(script, { optDir, runtimeDir, socketDir });
    server.close();
    assert.equal(stdout, "optruntimesocketsheard");
    assert.equal(stderr.match(/Read-only file system/g)?.length, 2, stderr);
  });

  test("threads, child processes, pipes and just-in-time code work", async () => {
    const { stdout, stderr } =
      await here.node(`import { Worker } from "node:worker_threads"; import { execFileSync } from "node:child_process";
      const doubled = await new Promise((resolve, reject) => new Worker("require('worker_threads').parentPort.postMessage(21 * 2)", { eval: true }).once("message", resolve).once("error", reject));
      const compiled = await WebAssembly.instantiate(new Uint8Array([0,97,115,109,1,0,0,0]));
      console.log(doubled, execFileSync("/bin/echo", ["child"], { encoding: "utf8" }).trim(), Boolean(compiled.instance))`);
    assert.equal(stdout, "42 child true\n", stderr);
  });

  test(
    "system calls that lead out are refused, and only plain sockets can be opened",
    { skip: needsPython },
    async () => {
      const script = readFileSync(new URL("../scenarios/forbidden-calls/index.py", import.meta.url), "utf8");
      const { stdout, stderr } = await here.python(
        `${script}\nimport json\nprint(json.dumps(handler({}, None)))`,
      );
      assert.equal(stderr, "");
      assertForbidden(JSON.parse(stdout));
    },
  );
});
