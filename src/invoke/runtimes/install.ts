/** Puts a folder of the cache in place once, whole or not at all, however many servers want it at the same time. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A fetch of packages that takes longer is given up. */
const fetchMs = 600_000;
/** A lock older than this is nobody's: no fetch takes so long, and a process id may have been given to another process. */
const lockMs = 2 * fetchMs;
/** How long one installer waits for another before it looks at the lock again. */
const lockPollMs = 250;
/** Output of a package manager that is kept for an error message. */
const outputBytesMax = 4_194_304;

/**
 * The folder `name` of the cache; built by `build` in a temporary folder and renamed when it is not there yet.
 * A lock file with the builder's process id keeps others waiting; one left by a dead process is taken over.
 */
export async function installOnce(
  cacheDir: string,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheDir, name);
  if (await exists(target)) return target;
  await mkdir(cacheDir, { recursive: true });
  const lock = `${target}.lock`;
  await takeLock(lock);
  const half = `${target}.${randomBytes(6).toString("hex")}.half`;
  let left: readonly string[] = [];
  try {
    if (await exists(target)) return target;
    left = await removeHalves(await halvesOf(cacheDir, name));
    await mkdir(half, { recursive: true });
    // Functions run as another user and must be able to read it, whatever this user's umask is.
    await chmod(half, 0o755);
    await build(half);
    await rename(half, target).catch(async (error: unknown) => {
      // Two that took over one dead lock may both have built it; the first is as good.
      if (!(await exists(target))) throw error;
    });
    return target;
  } finally {
    await removeHalves([half, ...left]);
    await rm(lock, { force: true });
  }
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Installs npm packages into `folder`/node_modules; npm checks each against the registry's integrity. */
export async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  await writeFile(join(folder, "package.json"), '{"private":true}\n');
  const options =
    "--no-save --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error --no-update-notifier";
  await command("npm", ["install", "--prefix", folder, ...options.split(" "), ...packages], folder);
}

/**
 * Installs Python packages into `folder`, for `python`, with the pip of `pip`: itself, or another interpreter where it has none. Packages
 * that are compiled from C would then not fit and are refused by pip.
 */
export async function pipInstall(
  { python, version, pip }: { python: string; version: string; pip: string },
  folder: string,
  packages: readonly string[],
): Promise<void> {
  const options = "--disable-pip-version-check --no-input --quiet --no-warn-script-location";
  const isForeign = pip !== python;
  const foreign = isForeign ? ["--python-version", version, "--only-binary=:all:", "--no-compile"] : [];
  const words = ["-m", "pip", "install", ...options.split(" "), ...foreign, "--target", folder, ...packages];
  await command(pip, words, folder);
  if (isForeign) await command(python, ["-m", "compileall", "-q", "."], folder);
}

async function command(program: string, parameters: readonly string[], cwd: string): Promise<void> {
  try {
    const words = ["-c", 'umask 022; exec "$@"', "sh", program, ...parameters];
    await run("/bin/sh", words, { cwd, timeout: fetchMs, maxBuffer: outputBytesMax });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const said = (stderr ?? "").trim().split("\n").slice(-5).join("; ");
    throw new Error(`${program} failed: ${said || message}`, { cause: error });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await isLeftBehind(lock)) await rm(lock, { force: true });
    else await sleep(lockPollMs);
  }
}

/** What installers that died left of it. */
async function halvesOf(cacheDir: string, name: string): Promise<string[]> {
  const entries = await readdir(cacheDir);
  return entries
    .filter((entry) => entry.startsWith(`${name}.`) && entry.endsWith(".half"))
    .map((entry) => join(cacheDir, entry));
}

/** Answers those that could not be removed: a package manager may outlive the server that started it, and write on. */
async function removeHalves(folders: readonly string[]): Promise<string[]> {
  const ended = await Promise.allSettled(
    folders.map((folder) => rm(folder, { recursive: true, force: true })),
  );
  return folders.filter((_, at) => ended[at]?.status === "rejected");
}

async function isLeftBehind(lock: string): Promise<boolean> {
  const age = await stat(lock).then(
    (info) => Date.now() - info.mtimeMs,
    () => 0,
  );
  if (age > lockMs) return true;
  const pid = Number(await readFile(lock, "utf8").catch(() => ""));
  // Another process of this server never holds it here: `createRuntimes` joins requests for one runtime.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
