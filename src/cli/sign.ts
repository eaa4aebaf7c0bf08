/** `lambent sign`: signs a deployment package with the key of a signing profile. */
import { signPackage } from "../services/lambda/index.ts";
import type { Command } from "./run.ts";
import { openProfiles, requireProfile } from "./signing-profile.ts";
import { CommandError, EXIT, UsageError, print } from "./terminal.ts";

const HELP = `Usage: lambent sign --profile NAME SOURCE.zip TARGET.zip

Writes a signed copy of a deployment package, of a function or a layer, and prints the ARN of the signing job. The signature is a
file in the copy; whatever else of it is changed later is found out when it is deployed. Needs no server.

Options:
  --profile NAME  The signing profile: its name, for its newest version, or the ARN of one
  --folder PATH   Where the profile and its private key are (signing-profiles in the data directory)`;

export const signCommand: Command = {
  help: HELP,
  options: { profile: { type: "string" }, folder: { type: "string" } },
  async run(flags, [source, target, ...rest]) {
    const { profile } = flags;
    if (typeof profile !== "string") throw new UsageError("say who signs: --profile NAME.");
    if (source === undefined || target === undefined || rest.length > 0)
      throw new UsageError("name the package and where its signed copy goes: SOURCE.zip TARGET.zip.");
    const profiles = openProfiles(flags);
    const found = await requireProfile(profiles, profile);
    const job = await signPackage(profiles, found, { source, target, now: Date.now() }).catch(
      (error: Error) => {
        throw new CommandError(error.message, { cause: error });
      },
    );
    print(job);
    return EXIT.ok;
  },
};
