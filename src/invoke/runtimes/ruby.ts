/**
 * Ruby runtimes: every CRuby that the host has, taken with its own standard library and the gems that come with it. AWS's runtime carries
 * the aws-sdk gems too; they come from rubygems.org, which Lambent does not fetch from, so functions and layers bring their own.
 */
import { execFile } from "node:child_process";
import { readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Inside, SandboxSpec } from "../../sandbox/sandbox.ts";
import { systemLibraries } from "../../sandbox/system-libraries.ts";
import { bootstrapFolder } from "./bootstrap-folder.ts";
import { exists } from "./install.ts";
import { FoundInterpreters } from "./found-interpreters.ts";
import { LIVE_RUBY_VERSIONS, RUBY_VERSIONS, rubyVersion } from "./identifiers.ts";
import type { RubyVersion } from "./identifiers.ts";
import { moduleName } from "./module-name.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { Runtime, RuntimeFamily, RuntimeListing, RuntimesDeps } from "./runtime.ts";

const run = promisify(execFile);
const probeMs = 10_000;

/** A CRuby of the host. */
interface HostRuby {
  readonly version: string;
  /** Real path of the program. */
  readonly executable: string;
  readonly prefix: string;
  /** `3.4.0`: what folders of a version of the language are called. */
  readonly abi: string;
  /** Where its shared library lies when that is no folder of the system's. */
  readonly libraryFolder: string;
  /** Folders of the standard library. */
  readonly library: readonly string[];
  /** Where its RubyGems lies: `rubygems.rb`, and the folder `rubygems`. */
  readonly gemsLibrary: string;
  /** The gems that come with it, and among them those that are the standard library too. */
  readonly gems: string;
  /** Whether this host has AWS's locale, so that text is UTF-8. */
  readonly hasLocale: boolean;
}

const PROBE = `require "json"
config = RbConfig::CONFIG
puts JSON.generate([RUBY_ENGINE, RUBY_VERSION, RbConfig.ruby, config["prefix"], config["ruby_version"], config["libdir"],
  config.values_at("rubylibdir", "rubyarchdir"), File.dirname($LOADED_FEATURES.grep(/rubygems\\.rb$/).first),
  File.expand_path("../..", Gem.default_specifications_dir), Encoding.find("locale") == Encoding::UTF_8])`;

/** Folders of version managers, each with a folder for every Ruby. */
const MANAGERS = [
  ".rbenv/versions",
  ".asdf/installs/ruby",
  ".local/share/mise/installs/ruby",
  ".rubies",
] as const;

/** Where a sandbox has something else. */
const TAKEN = /^\/(opt|tmp|var|run|proc|dev|sys|etc)(\/|$)/;

export function rubyFamily({ cacheDir }: RuntimesDeps): RuntimeFamily {
  const rubies = new FoundInterpreters(findRubies);
  return {
    language: "Ruby",
    identifiers: RUBY_VERSIONS.map((version) => `ruby${version}`),
    source: "the host",
    async list() {
      const known = await rubies.all();
      const told = RUBY_VERSIONS.filter(
        (version) => known.has(version) || LIVE_RUBY_VERSIONS.includes(version),
      );
      return told.map((version) => listing(version, known.get(version)));
    },
    async find(identifier) {
      const version = rubyVersion(identifier);
      return version === undefined ? undefined : listing(version, await rubies.get(version));
    },
    async install(identifier) {
      const version = rubyVersion(identifier);
      const ruby = version === undefined ? undefined : await rubies.get(version);
      if (!ruby) throw new RuntimeUnavailable(`The runtime ${identifier} is not on this machine any more`);
      return installRuby(cacheDir, ruby);
    },
  };
}

function listing(wanted: RubyVersion, ruby: HostRuby | undefined): RuntimeListing {
  const identifier = `ruby${wanted}`;
  return ruby
    ? { identifier, version: ruby.version, detail: ruby.executable, available: true, installed: true }
    : {
        identifier,
        version: "",
        detail:
          `The runtime ${identifier} is not on this machine: install Ruby ${wanted} (apt-get install ruby where this is Debian's, ` +
          `or rbenv install ${wanted}) so that ${identifier} or ruby of that version is on the path, and not below /opt or /tmp, where functions have files of their own`,
        available: false,
        installed: false,
      };
}

/** One Ruby for each version: first the one on the path, then the usual places, then those of version managers. */
async function findRubies(): Promise<ReadonlyMap<RubyVersion, HostRuby>> {
  const found = new Map<RubyVersion, HostRuby>();
  const names = ["ruby", ...RUBY_VERSIONS.map((version) => `ruby${version}`)];
  for (const candidates of [
    names,
    names.map((name) => `/usr/local/bin/${name}`),
    names.map((name) => `/usr/bin/${name}`),
    await managedRubies(),
  ]) {
    for (const ruby of await Promise.all(candidates.map(probe))) {
      const version = RUBY_VERSIONS.find((one) => ruby?.version.startsWith(`${one}.`));
      if (ruby && version !== undefined && !found.has(version)) found.set(version, ruby);
    }
  }
  return found;
}

/** What starts functions on it. */
async function installRuby(cacheDir: string, ruby: HostRuby): Promise<Runtime> {
  const gems = insideOf(ruby.gems);
  const languageMounts = await mountsOf(ruby);
  // A sandbox that was made with mounts elsewhere takes no code any more, so none of its processes can wait for a function.
  const canWait = languageMounts.every(({ target }) => target.startsWith("/var/lang/"));
  return {
    identifier: `ruby${ruby.version.split(".").slice(0, 2).join(".")}`,
    kind: "ruby",
    channel: "frames",
    version: ruby.version,
    runtimeDir: await bootstrapFolder(cacheDir, "ruby", []),
    languageMounts,
    command: () => ["/var/lang/bin/ruby", "/var/runtime/bootstrap.rb"],
    ...(canWait ? { loadedAhead: await standardNames(ruby) } : {}),
    moduleFolders: (codeDir, optDir) => [
      codeDir,
      join(codeDir, "vendor/bundle/ruby", ruby.abi, "gems"),
      ...(optDir === undefined
        ? []
        : [join(optDir, "ruby/lib"), join(optDir, "ruby/gems", ruby.abi, "gems")]),
    ],
    variables: (inside: Inside) => ({
      GEM_HOME: inside.path("/var/runtime"),
      // AWS's folders, then those gems that come with the language.
      GEM_PATH: [`/var/task/vendor/bundle/ruby/${ruby.abi}`, `/opt/ruby/gems/${ruby.abi}`, gems]
        .map((path) => inside.path(path))
        .join(":"),
      RUBYLIB: ["/var/task", "/var/runtime/lib", "/opt/ruby/lib"].map((path) => inside.path(path)).join(":"),
      // Without AWS's en_US.UTF-8 on the host, LANG alone would make Ruby take all text for ASCII.
      ...(ruby.hasLocale ? {} : { LC_CTYPE: "C.UTF-8" }),
    }),
  };
}

/**
 * A Ruby looks for its library where it was installed, so that is where it is shown; its program is at /var/lang/bin too. Of one
 * that shares its prefix with the system its program and its library alone are shown.
 */
async function mountsOf(ruby: HostRuby): Promise<SandboxSpec["languageMounts"]> {
  const program = { source: ruby.executable, target: "/var/lang/bin/ruby" };
  if (!isShared(ruby.prefix)) return [program, { source: ruby.prefix, target: ruby.prefix }];
  const shared = (await readdir(ruby.libraryFolder))
    .filter((file) => file.startsWith("libruby") && file.includes(".so."))
    .map((file) => ({ source: join(ruby.libraryFolder, file), target: `/var/lang/lib/${file}` }));
  const separate = ruby.library.includes(ruby.gemsLibrary)
    ? []
    : ["rubygems.rb", "rubygems"].map((name) => join(ruby.gemsLibrary, name));
  const folders = [...ruby.library, ...separate, ruby.gems];
  const outer = folders.filter((one) => !folders.some((other) => one.startsWith(`${other}/`)));
  const mounts = [...new Set(outer)]
    .filter((folder) => !isOfSystem(folder))
    .map((folder) => ({ source: folder, target: insideOf(folder) }));
  return [program, ...shared, ...mounts];
}

/** Every sandbox has links from where a system's Ruby looks to where code can be mounted into one that waits. */
function insideOf(folder: string): string {
  return folder.replace(/^\/usr\/(local\/)?lib\/ruby\//, "/var/lang/lib/ruby/");
}

function isShared(prefix: string): boolean {
  return prefix === "/usr" || prefix === "/usr/local";
}

/** Whether every sandbox sees it, with the system's libraries. */
function isOfSystem(folder: string): boolean {
  return [systemLibraries(), "/usr/lib64"].some((one) => one !== undefined && folder.startsWith(`${one}/`));
}

/** The names of the standard library's files and folders, and of the gems that it is made of and that come with it. */
async function standardNames(ruby: HostRuby): Promise<ReadonlySet<string>> {
  const specifications = join(ruby.gems, "specifications");
  const folders = [...ruby.library, specifications, join(specifications, "default")];
  const files = await Promise.all(folders.map((folder) => readdir(folder).catch((): string[] => [])));
  return new Set(files.flat().map(moduleName));
}

async function managedRubies(): Promise<string[]> {
  const found = await Promise.all(
    MANAGERS.map(async (manager) => {
      const folder = join(homedir(), manager);
      const names = await readdir(folder).catch((): string[] => []);
      return names.map((name) => join(folder, name, "bin/ruby"));
    }),
  );
  return found.flat().sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

/** What a program says of itself; undefined when it is no CRuby that can be shown to a function (a shim without one, JRuby). */
async function probe(program: string): Promise<HostRuby | undefined> {
  if (program.startsWith("/") && !(await exists(program))) return undefined;
  try {
    const clean = [
      "-u",
      "RUBYOPT",
      "-u",
      "RUBYLIB",
      "-u",
      "GEM_PATH",
      "-u",
      "GEM_HOME",
      "-u",
      "LC_ALL",
      "-u",
      "LC_CTYPE",
    ];
    const words = [...clean, "LANG=en_US.UTF-8", program, "-e", PROBE];
    const { stdout } = await run("/usr/bin/env", words, { timeout: probeMs });
    const [engine, version, path, prefix, abi, libraryFolder, library, gemsLibrary, gems, hasLocale] =
      JSON.parse(stdout) as [
        string,
        string,
        string,
        string,
        string,
        string,
        string[],
        string,
        string,
        boolean,
      ];
    const executable = await realpath(path);
    if (engine !== "ruby" || (!isShared(prefix) && TAKEN.test(prefix))) return undefined;
    // A program that its prefix does not hold could not be shown with it.
    if (dirname(dirname(executable)) !== prefix) return undefined;
    return { version, executable, prefix, abi, libraryFolder, library, gemsLibrary, gems, hasLocale };
  } catch {
    return undefined;
  }
}
