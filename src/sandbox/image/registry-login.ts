/** As whom registries are spoken to: a file like Docker's config.json, and the credential helpers that it names. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { ImageError } from "./image-error.ts";

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  /** A refresh token for the registry's token server, in the place of a password. */
  readonly identityToken?: string;
}

/** https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol */
interface AuthFile {
  readonly auths?: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string }
  >;
  /** The helper of one registry. */
  readonly credHelpers?: Record<string, string>;
  /** The helper of all others. */
  readonly credsStore?: string;
}

/** Under which `docker login` without a host keeps the login. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
const HELPER_MS_MAX = 30_000;
/** Part of a program's name, and nothing else. */
const HELPER = /^[\w.-]+$/;
/** In place of a name, where the secret is a refresh token. */
const TOKEN_USER = "<token>";

/**
 * The login that a file has for a registry, by its credential helper where it names one; undefined where it has none.
 * @throws ImageError naming the file or the helper, and what is wrong with it.
 */
export async function readLogin(file: string, registry: string): Promise<RegistryLogin | undefined> {
  try {
    const { auths = {}, credHelpers = {}, credsStore } = JSON.parse(await readFile(file, "utf8")) as AuthFile;
    const keys = registry === "docker.io" ? [DOCKER_HUB_KEY, registry] : [registry];
    const helper = keys.map((key) => credHelpers[key]).find(Boolean) ?? credsStore;
    for (const key of keys) {
      const login = helper ? await askHelper(helper, key) : undefined;
      if (login) return login;
    }
    return Object.entries(auths)
      .filter(([key]) => keys.includes(key) || keys.includes(hostOf(key)))
      .map(([, entry]) => loginOf(entry))
      .find((login) => login.username !== "" || login.identityToken !== undefined);
  } catch (error) {
    throw new ImageError(
      "denied",
      `The file with the logins of registries, ${file}, cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function loginOf({ auth, username, password, identitytoken }: NonNullable<AuthFile["auths"]>[string]) {
  const decoded = Buffer.from(auth ?? "", "base64").toString();
  const colon = decoded.indexOf(":");
  return {
    username: username ?? decoded.slice(0, Math.max(0, colon)),
    password: password ?? decoded.slice(colon + 1),
    ...(identitytoken ? { identityToken: identitytoken } : {}),
  };
}

/** `docker login https://host` keeps the scheme. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/** Runs `docker-credential-NAME get`. Undefined where it knows no login. */
async function askHelper(name: string, registry: string): Promise<RegistryLogin | undefined> {
  if (!HELPER.test(name)) throw new Error(`"${name}" is no name of a credential helper`);
  const program = `docker-credential-${name}`;
  const answer = await new Promise<string | undefined>((resolve, reject) => {
    const child = execFile(program, ["get"], { timeout: HELPER_MS_MAX }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (stdout.includes("credentials not found")) resolve(undefined);
      else reject(new Error(`${program} failed: ${stdout.trim() || stderr.trim() || error.message}`));
    });
    // A program that is not there, or reads nothing, is told by the above.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(registry);
  });
  if (answer === undefined) return undefined;
  const { Username = "", Secret = "" } = JSON.parse(answer) as { Username?: string; Secret?: string };
  return Username === TOKEN_USER
    ? { username: "", password: "", identityToken: Secret }
    : { username: Username, password: Secret };
}
