/** `lambent signing-profile`: the keys by which code signing configurations know whose code they let in. */
import { loadConfig } from "../config/index.ts";
import { SigningProfiles, VALIDITY_MONTHS_DEFAULT, signingProfilesDir } from "../services/lambda/index.ts";
import type { SigningProfile } from "../services/lambda/index.ts";
import type { Command, Flags } from "./run.ts";
import { CommandError, EXIT, UsageError, dim, green, print, yellow } from "./terminal.ts";

const HELP = `Usage: lambent signing-profile create NAME [--validity MONTHS] [--account ID] [--region REGION]
       lambent signing-profile list
       lambent signing-profile revoke ARN [--from TIME | --job ARN]

create makes a key pair, and a version of the profile for it; its ARN is what a code signing configuration names in
AllowedPublishers. NAME has letters, digits and _. Making NAME again makes its next version; earlier ones stay good.
list tells every version that is known, and what of it is revoked.
revoke takes back the signatures of a version from now on, from a TIME (2026-01-31T12:00:00Z) on, or that of one signing job.

The profiles are files in a folder, which a server reads whenever signed code is deployed. A server needs only the .json files;
the .key.pem files belong where code is signed, and nowhere else.

Options:
  --folder PATH      That folder (signing-profiles in the data directory)
  --validity MONTHS  How long signatures are good (${VALIDITY_MONTHS_DEFAULT})
  --account ID       The account in the profile's ARN (000000000000)
  --region REGION    The region in it (the server's)
  --from TIME        See revoke
  --job ARN          See revoke`;

const MONTHS_MAX = 1_200;

type Action = (profiles: SigningProfiles, flags: Flags, operand: string) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { create, list, revoke };

export const signingProfileCommand: Command = {
  help: HELP,
  options: {
    folder: { type: "string" },
    validity: { type: "string" },
    account: { type: "string" },
    region: { type: "string" },
    from: { type: "string" },
    job: { type: "string" },
  },
  async run(flags, [name = "", operand = "", ...rest]) {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (!action) throw new UsageError(`say what to do: ${Object.keys(ACTIONS).join(", ")}.`);
    if (rest.length > 0) throw new UsageError(`${rest.join(" ")} is too much.`);
    await action(openProfiles(flags), flags, operand);
    return EXIT.ok;
  },
};

/** Those of `--folder`, or of this machine's server. */
export function openProfiles({ folder }: Flags): SigningProfiles {
  return new SigningProfiles(typeof folder === "string" ? folder : signingProfilesDir(loadConfig().dataDir));
}

async function create(profiles: SigningProfiles, flags: Flags, name: string): Promise<void> {
  if (!/^\w{2,64}$/.test(name)) throw new UsageError("NAME has letters, digits and _, 2 to 64 of them.");
  const months = Number(flags["validity"] ?? VALIDITY_MONTHS_DEFAULT);
  if (!Number.isInteger(months) || months < 1 || months > MONTHS_MAX)
    throw new UsageError(`--validity is a number of months from 1 to ${MONTHS_MAX}.`);
  const account = String(flags["account"] ?? "000000000000");
  if (!/^\d{12}$/.test(account)) throw new UsageError("--account is twelve digits.");
  const region = String(flags["region"] ?? loadConfig().region);
  const profile = await profiles.create({ account, region }, name, months, Date.now());
  print(profile.profileVersionArn);
}

async function list(profiles: SigningProfiles): Promise<void> {
  for (const profile of await profiles.list()) {
    const { profileVersionArn, createdAt, revokedFrom, revokedJobs = [] } = profile;
    const jobs = revokedJobs.length === 0 ? "" : `, ${revokedJobs.length} jobs revoked`;
    const state = revokedFrom === undefined ? green("good") : yellow(`revoked from ${revokedFrom}`);
    print(`${profileVersionArn}  ${state}${dim(`  since ${createdAt}${jobs}`)}`);
  }
}

async function revoke(profiles: SigningProfiles, flags: Flags, arn: string): Promise<void> {
  const profile = await requireProfile(profiles, arn);
  const { from, job } = flags;
  const time = from === undefined ? Date.now() : Date.parse(String(from));
  if (Number.isNaN(time)) throw new UsageError(`--from ${String(from)} is no time.`);
  if (from !== undefined && job !== undefined) throw new UsageError("--from and --job exclude each other.");
  await profiles.revoke(profile, typeof job === "string" ? { job } : { from: time });
  print(typeof job === "string" ? `revoked: ${job}` : `revoked from ${new Date(time).toISOString()}: ${arn}`);
}

/** The version of an ARN, or the newest one of a name. @throws CommandError where it is not known. */
export async function requireProfile(profiles: SigningProfiles, named: string): Promise<SigningProfile> {
  const found = named.startsWith("arn:")
    ? await profiles.find(named)
    : (await profiles.list()).findLast((one) =>
        one.profileVersionArn.includes(`/signing-profiles/${named}/`),
      );
  if (found) return found;
  throw new CommandError(
    `there is no signing profile ${named} here. See: lambent signing-profile list; make one: lambent signing-profile create NAME`,
  );
}
