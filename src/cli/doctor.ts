/** `lambent doctor`: what this machine gives functions, and how to get what is missing. */
import { inspectMachine, lackingFor, tryGvisor } from "../sandbox/index.ts";
import type { MachineReport } from "../sandbox/index.ts";
import type { Command } from "./run.ts";
import { printRuntimes } from "./runtimes.ts";
import { EXIT, UsageError, bold, dim, green, print, yellow } from "./terminal.ts";

const HELP = `Usage: lambent doctor

Says what isolation, limits and runtimes this machine gives functions, and how to get what is missing.
Starts nothing but a trial of gVisor where it is installed, and changes nothing. Exit code 0 when functions can be isolated, 1 when they cannot.`;

export const doctorCommand: Command = {
  help: HELP,
  options: {},
  async run(_flags, positionals) {
    if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`);
    const machine = await inspectMachine();
    print(`${bold("Isolation")}  --sandbox auto takes ${machine.provider}; cgroups ${machine.cgroups}`);
    for (const { found, name, detail, remedy } of machine.findings) {
      print(`  ${found ? green("yes") : yellow("no ")}  ${name.padEnd(20)} ${dim(detail)}`);
      if (remedy !== undefined) print(yellow(`       ${remedy}`));
    }
    await printGvisor(machine);
    print();
    print(bold("Runtimes"));
    await printRuntimes();
    return machine.provider === "process" ? EXIT.failure : EXIT.ok;
  },
};

/** Whether `--sandbox runsc` would run here; what is missing else. */
async function printGvisor(machine: MachineReport): Promise<void> {
  const lacking = lackingFor("runsc", machine);
  const failure = lacking.length === 0 ? await tryGvisor() : undefined;
  const works = lacking.length === 0 && failure === undefined;
  print(
    `  ${works ? green("yes") : yellow("no ")}  ${"--sandbox runsc".padEnd(20)} ${dim(works ? "a trial sandbox ran" : "cannot run here")}`,
  );
  for (const line of failure === undefined ? lacking : [`A trial sandbox failed: ${failure}`])
    print(yellow(`       ${line}`));
}
