/** With authentication on, someone must hold the first key: the root of account 000000000000, kept beside the data. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccessKeys } from "../aws/authentication.ts";
import type { Config } from "../config/index.ts";
import type { Ids } from "../kit/id.ts";

const ACCOUNT = "000000000000";

/**
 * The access keys, with the root key of the first account in front when authentication is on. The file is in the
 * format of AWS's shared credentials, so that `AWS_SHARED_CREDENTIALS_FILE` can name it; it is made once, mode 0600.
 */
export async function withRootCredentials(
  config: Config,
  accessKeys: AccessKeys,
  ids: Ids,
): Promise<{ accessKeys: AccessKeys; file: string | undefined }> {
  if (config.auth === "off") return { accessKeys, file: undefined };
  const file = join(config.dataDir, "credentials");
  const root = (await readCredentials(file)) ?? (await makeCredentials(file, ids));
  const record = {
    secretAccessKey: root.secretAccessKey,
    principal: {
      type: "root",
      account: ACCOUNT,
      arn: `arn:aws:iam::${ACCOUNT}:root`,
      userId: ACCOUNT,
      accessKeyId: root.accessKeyId,
    },
    active: true,
  } as const;
  return {
    accessKeys: {
      find: async (id) => (id === root.accessKeyId ? record : accessKeys.find(id)),
      known: (id) => (id === root.accessKeyId ? record : accessKeys.known(id)),
    },
    file,
  };
}

interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function readCredentials(file: string): Promise<RootKey | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const value = (key: string) => new RegExp(`^${key}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1];
  const [accessKeyId, secretAccessKey] = [value("aws_access_key_id"), value("aws_secret_access_key")];
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  throw new Error(`${file} holds no root credentials; restore it, or remove it to have new ones made`);
}

async function makeCredentials(file: string, ids: Ids): Promise<RootKey> {
  const key = { accessKeyId: `AKIA${ids.hex(16).toUpperCase()}`, secretAccessKey: ids.hex(40) };
  const text = `[default]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}\n`;
  await writeFile(file, text, { mode: 0o600, flag: "wx" });
  await chmod(file, 0o600);
  return key;
}
