#!/usr/bin/env node
/**
 * Brings a machine that has Node 20 and git to one that runs Lambent (and, with --tests, its tests). Idempotent.
 * Runs on Node 20, before any package is installed: it may import nothing but Node's own modules.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const flags = new Set(process.argv.slice(2));
const forTests = flags.has("--tests");
const quiet = flags.has("--quiet");

/** System packages: the command or file that shows one is there, and what is lost without it. */
const SYSTEM_PACKAGES = [
  { name: "runc", shows: "runc", cost: "functions run unisolated, as plain processes" },
  { name: "iproute2", shows: "ip", cost: "functions get no network of their own" },
  { name: "nftables", shows: "nft", cost: "functions get no network of their own" },
  { name: "e2fsprogs", shows: "mkfs.ext4", cost: "a function's /tmp has no size limit" },
];
const TEST_PACKAGES = [
  { name: "awscli", shows: "/usr/bin/aws", cost: "tests with the AWS CLI are skipped" },
  {
    name: "python3-boto3",
    shows: "/usr/lib/python3/dist-packages/boto3",
    cost: "tests with boto3 are skipped",
  },
  { name: "ruby", shows: "ruby", cost: "functions on Ruby are not tested" },
  { name: "default-jdk-headless", shows: "javac", cost: "functions on Java are not tested" },
  { name: "postgresql", shows: "/usr/lib/postgresql/*/bin/postgres", cost: "store tests run on SQLite only" },
  { name: "runsc", shows: "runsc", cost: "sandboxes on gVisor are not tested" },
  { name: "crun", shows: "crun", cost: "sandboxes on crun are not tested" },
  {
    name: "skopeo",
    shows: "skopeo",
    cost: "pushing to and pulling from the registry is tested by our own requests only",
  },
  {
    name: "busybox-static",
    shows: "/bin/busybox",
    cost: "functions that are container images are not tested",
  },
  {
    name: "docker-registry",
    shows: "docker-registry",
    cost: "images out of Docker's own registry are not tested",
  },
  {
    name: "rabbitmq-server",
    shows: "/usr/lib/rabbitmq/bin/rabbitmq-server",
    cost: "event source mappings of RabbitMQ are not tested",
  },
  { name: "curl", shows: "curl", cost: "the custom runtime written in shell is not tested" },
];

say(`Lambent set-up on ${process.platform}-${process.arch}, Node ${process.version}`);
installPackages(join(ROOT), "npm packages");
if (process.platform === "linux")
  installSystemPackages(forTests ? [...SYSTEM_PACKAGES, ...TEST_PACKAGES] : SYSTEM_PACKAGES);
else say("This is not Linux: functions run as plain processes, without isolation or limits.");
if (forTests) installPackages(join(ROOT, "examples/thumbnail/function"), "packages of examples/thumbnail");
say("Set-up is complete.");

/** `npm ci`, once per lock file: the stamp in node_modules is the lock's hash. */
function installPackages(folder, what) {
  const stamp = join(folder, "node_modules/.lambent-setup");
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return say(`${what}: up to date`);
  say(`${what}: installing (npm ci)`);
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (done.status !== 0) fail(`npm ci failed in ${folder}; what npm printed above says why`);
  writeFileSync(stamp, lock);
}

function installSystemPackages(packages) {
  const missing = packages.filter((one) => !isThere(one.shows));
  if (missing.length === 0) return say("system packages: up to date");
  const names = [...new Set(missing.map((one) => one.name))];
  const canInstall = process.getuid?.() === 0 && isThere("apt-get");
  if (canInstall) {
    say(`system packages: installing ${names.join(", ")} (apt-get)`);
    const quietly = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    const apt = (...args) => spawnSync("apt-get", args, quietly).status === 0;
    const install = (...some) => apt("install", "-y", "-q", "--no-install-recommends", ...some);
    // Together it is quicker; one by one, a package that this release lacks does not take the others with it.
    if (!install(...names) && !(apt("update", "-q") && install(...names)))
      for (const name of names) install(name);
  }
  for (const one of missing.filter((each) => !isThere(each.shows)))
    console.log(`[setup] missing: ${one.name}. Without it ${one.cost}. ${advice(one.name, canInstall)}`);
}

function advice(name, tried) {
  if (tried) return `apt-get could not install it; what it printed above says why.`;
  if (isThere("apt-get")) return `To get it: sudo apt-get install ${name}`;
  return `Install ${name} with this system's package manager.`;
}

function isThere(commandOrPath) {
  const [before, after] = commandOrPath.split("*/");
  if (after !== undefined)
    return existsSync(before) && readdirSync(before).some((name) => existsSync(join(before, name, after)));
  if (commandOrPath.startsWith("/")) return existsSync(commandOrPath);
  const folders = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => folder !== "" && existsSync(join(folder, commandOrPath)));
}

function say(line) {
  if (!quiet) console.log(`[setup] ${line}`);
}

function fail(line) {
  console.error(`[setup] ${line}`);
  process.exit(1);
}
