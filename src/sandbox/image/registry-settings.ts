/** How registries are reached: by which scheme, and as whom. */
import { readFile } from "node:fs/promises";
import type { ImageReference } from "./reference.ts";
import { ImageError } from "./image-error.ts";

export interface RegistrySettings {
  /** A file like Docker's config.json, read anew for every image. */
  readonly authFile: string | undefined;
  /** Registries (`host:port`) that are spoken to without TLS, beside those of this machine. */
  readonly insecure: readonly string[];
  /** The registries that this server itself is; undefined for all others. */
  own?(registry: string): OwnRegistry | undefined;
}

/** A registry whose images are read without a request. Who may read them has been seen to. */
export interface OwnRegistry {
  /** What a tag or a digest names; undefined where there is none. */
  manifest(repository: string, name: string): Promise<{ bytes: Buffer; mediaType: string } | undefined>;
  /** The file of a layer or a configuration; undefined where the repository has none such. */
  file(repository: string, digest: string): Promise<string | undefined>;
}

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  /** A refresh token for the registry's token server, in the place of a password. */
  readonly identityToken?: string;
}

/** One registry, and all that a request to it needs; can be handed to another thread. */
export interface RegistryAccess {
  readonly registry: string;
  /** `https://host:port` */
  readonly origin: string;
  /** Redirects and token servers without TLS are followed too. */
  readonly mayBePlain: boolean;
  readonly login: RegistryLogin | undefined;
}

interface AuthFile {
  readonly auths?: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string }
  >;
}

/** Docker's own registry answers at another name than its images have. */
const OTHER_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };
/** Where `docker login` without a host keeps it. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

/** @throws ImageError when the file with logins cannot be read. */
export async function accessTo(
  { registry }: Pick<ImageReference, "registry">,
  settings: RegistrySettings,
): Promise<RegistryAccess> {
  const mayBePlain = isOfThisMachine(registry) || settings.insecure.includes(registry);
  const logins = settings.authFile === undefined ? {} : await readLogins(settings.authFile);
  return {
    registry,
    origin: `${mayBePlain ? "http" : "https"}://${OTHER_HOSTS[registry] ?? registry}`,
    mayBePlain,
    login: logins[registry] ?? (registry === "docker.io" ? logins[DOCKER_HUB_KEY] : undefined),
  };
}

/** Whether a registry listens on this machine's own address: what goes there passes no network. */
export function isOfThisMachine(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
}

/**
 * The logins of a file like Docker's config.json: `auths`, by registry.
 * @throws ImageError naming the file and what is wrong with it.
 */
export async function readLogins(file: string): Promise<Record<string, RegistryLogin>> {
  try {
    const { auths = {} } = JSON.parse(await readFile(file, "utf8")) as AuthFile;
    const logins: Record<string, RegistryLogin> = {};
    for (const [key, { auth, username, password, identitytoken }] of Object.entries(auths)) {
      const decoded = Buffer.from(auth ?? "", "base64").toString();
      const colon = decoded.indexOf(":");
      const login = {
        username: username ?? decoded.slice(0, Math.max(0, colon)),
        password: password ?? decoded.slice(colon + 1),
        ...(identitytoken ? { identityToken: identitytoken } : {}),
      };
      // `docker login https://host` keeps the scheme.
      if (login.username !== "" || login.identityToken)
        logins[key === DOCKER_HUB_KEY ? key : key.replace(/^https?:\/\//, "").replace(/\/.*$/, "")] = login;
    }
    return logins;
  } catch (error) {
    throw new ImageError(
      "denied",
      `The file with the logins of registries, ${file}, cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
