/** Picks the command and turns what goes wrong into a sentence and an exit code. */
import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { ConfigError } from "../config/index.ts";
import { SandboxError } from "../sandbox/index.ts";
import { CommandError, EXIT, UsageError, outliveReaders, print, printError } from "./terminal.ts";

/** One command: its help, its flags, and what it does. Loaded only when called. */
export interface Command {
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  run(flags: Flags, positionals: readonly string[]): Promise<number>;
}

export type Flags = Readonly<Record<string, string | boolean | undefined>>;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand,
  clock: async () => (await import("./clock.ts")).clockCommand,
  demo: async () => (await import("./demo.ts")).demoCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  runtimes: async () => (await import("./runtimes.ts")).runtimesCommand,
  invoke: async () => (await import("./invoke.ts")).invokeCommand,
  logs: async () => (await import("./logs.ts")).logsCommand,
  messages: async () => (await import("./messages.ts")).messagesCommand,
  "signing-profile": async () => (await import("./signing-profile.ts")).signingProfileCommand,
  sign: async () => (await import("./sign.ts")).signCommand,
};

const HELP = `Lambent: AWS Lambda, and everything that triggers it, as software that you own.

Usage: lambent <command> [options]

Commands:
  start            Run the server until it is told to stop
  demo             Run the serverless thumbnail: a photograph in S3, its thumbnail and a table row out
  clock            Say what time it is for a server started with --dev, or move its clock ahead
  doctor           Say what isolation, limits and runtimes this machine gives, and how to get what is missing
  runtimes         List the runtimes of functions, or fetch some ahead
  invoke           Invoke a function and print its answer
  logs             Print a function's log, or follow it
  messages         Print the codes and invitations that users of a user pool are to get
  signing-profile  Make, list and revoke signing profiles, by which code signing configurations know code
  sign             Sign a deployment package

  lambent <command> --help   explains a command
  lambent --version          prints the version

clock, invoke, logs and messages speak to AWS_ENDPOINT_URL (http://127.0.0.1:4566 when unset), in AWS_REGION, with
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, like every AWS tool.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 the invoked function answered with an error.`;

/** Runs one command line (without `node` and the script) and answers its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  outliveReaders();
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    print(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === "--version") {
    const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
    print(manifest.version);
    return EXIT.ok;
  }
  const load = COMMANDS[name];
  if (!load) {
    printError(`lambent has no command "${name}". Its commands: ${Object.keys(COMMANDS).join(", ")}.`);
    return EXIT.usage;
  }
  return runCommand(name, await load(), rest);
}

async function runCommand(name: string, command: Command, argv: readonly string[]): Promise<number> {
  try {
    const options = { ...command.options, help: { type: "boolean", short: "h" } } as const;
    const { values, positionals } = parseFlags(options, argv);
    if (values["help"] === true) {
      print(command.help);
      return EXIT.ok;
    }
    return await command.run(values, positionals);
  } catch (error) {
    if (error instanceof UsageError) {
      printError(`lambent ${name}: ${error.message}\nSee: lambent ${name} --help`);
      return EXIT.usage;
    }
    const explained = [CommandError, ConfigError, SandboxError].some((kind) => error instanceof kind);
    printError(`lambent ${name}: ${explained ? (error as Error).message : describe(error)}`);
    return EXIT.failure;
  }
}

function parseFlags(options: ParseArgsOptionsConfig, argv: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    return { values: parsed.values as Flags, positionals: parsed.positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
