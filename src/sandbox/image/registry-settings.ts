/** How registries are reached: by which scheme, and as whom. */
import type { ImageReference } from "./reference.ts";
import { readLogin } from "./registry-login.ts";
import type { RegistryLogin } from "./registry-login.ts";

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

/** One registry, and all that a request to it needs; can be handed to another thread. */
export interface RegistryAccess {
  readonly registry: string;
  /** `https://host:port` */
  readonly origin: string;
  /** Redirects and token servers without TLS are followed too. */
  readonly mayBePlain: boolean;
  readonly login: RegistryLogin | undefined;
}

/** Docker's own registry answers at another name than its images have. */
const OTHER_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** @throws ImageError when the file with logins cannot be read, or a credential helper that it names fails. */
export async function accessTo(
  { registry }: Pick<ImageReference, "registry">,
  settings: RegistrySettings,
): Promise<RegistryAccess> {
  const mayBePlain = isOfThisMachine(registry) || settings.insecure.includes(registry);
  return {
    registry,
    origin: `${mayBePlain ? "http" : "https"}://${OTHER_HOSTS[registry] ?? registry}`,
    mayBePlain,
    login: settings.authFile === undefined ? undefined : await readLogin(settings.authFile, registry),
  };
}

/** Whether a registry listens on this machine's own address: what goes there passes no network. */
export function isOfThisMachine(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
}
