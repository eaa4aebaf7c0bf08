/** Reads from a registry by the OCI distribution specification, anonymously or as whom its settings name. */
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { bytesOf, httpGet } from "./http-get.ts";
import { ImageError } from "./image-error.ts";
import type { RegistryLogin } from "./registry-login.ts";
import type { RegistryAccess } from "./registry-settings.ts";

/** A registry that fails, or says that it is asked too often, is asked again. */
const TRIES_MAX = 4;
const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 10_000;

export class Registry {
  readonly #access: RegistryAccess;
  readonly #signal: AbortSignal | undefined;
  /** By repository: what its requests say of who asks. */
  readonly #authorizations = new Map<string, string>();

  constructor(access: RegistryAccess, signal?: AbortSignal) {
    this.#access = access;
    this.#signal = signal;
  }

  /** A manifest by tag or digest, as it is. @throws ImageError */
  async manifest(repository: string, name: string, accept: string): Promise<{ bytes: Buffer; type: string }> {
    const answer = await this.#get(repository, `manifests/${name}`, { accept });
    const [type = ""] = (answer.headers["content-type"] ?? "").split(";");
    return { bytes: await bytesOf(answer), type: type.trim() };
  }

  /** Content by digest, whole. @throws ImageError */
  async small(repository: string, digest: string): Promise<Buffer> {
    return bytesOf(await this.#get(repository, `blobs/${digest}`, {}, true));
  }

  /** The same from an offset on; a registry that cannot skip sends what comes before too. @throws ImageError */
  async content(
    repository: string,
    digest: string,
    offset: number,
  ): Promise<{ body: IncomingMessage; from: number }> {
    const body = await this.#get(
      repository,
      `blobs/${digest}`,
      offset === 0 ? {} : { range: `bytes=${offset}-` },
      true,
    );
    return { body, from: body.statusCode === 206 ? offset : 0 };
  }

  /** @param isKnown Whether it is a registry: what is none is told apart from nothing at all only by the server's log. */
  async #get(
    repository: string,
    path: string,
    headers: Record<string, string>,
    isKnown = this.#access.login !== undefined,
  ): Promise<IncomingMessage> {
    for (let tries = 1; ; tries++) {
      let asked = 0;
      try {
        const answer = await this.#try(repository, path, headers);
        if ((answer.statusCode ?? 0) < 300 && (isKnown || isOfRegistry(answer))) return answer;
        asked = Number(answer.headers["retry-after"]) * 1_000;
        throw await this.#refusal(answer, repository, isKnown);
      } catch (error) {
        // What is no address, or no JSON, is the registry's fault too.
        if (!(error instanceof ImageError)) throw unreadable(this.#access, error as Error);
        const isOver = tries >= TRIES_MAX || this.#signal?.aborted;
        if (isOver || error.problem !== "unreachable")
          throw isKnown ? error : withoutReason(error, this.#access);
      }
      const wait = asked > 0 ? asked : FIRST_WAIT_MS * 3 ** (tries - 1);
      await sleep(Math.min(wait, WAIT_MS_MAX), undefined, this.#signal ? { signal: this.#signal } : {});
    }
  }

  /** One request; where the registry wants to know who asks, it is told. */
  async #try(repository: string, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const url = `${this.#access.origin}/v2/${repository}/${path}`;
    const ask = () => {
      const authorization = this.#authorizations.get(repository);
      return httpGet(url, {
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        mayBePlain: this.#access.mayBePlain,
        signal: this.#signal,
      });
    };
    const answer = await ask();
    if (answer.statusCode !== 401) return answer;
    const challenge = answer.headers["www-authenticate"] ?? "";
    const authorization = await this.#authorize(challenge, repository);
    // Said already, and refused again.
    if (authorization === undefined || authorization === this.#authorizations.get(repository)) return answer;
    answer.destroy();
    this.#authorizations.set(repository, authorization);
    return ask();
  }

  async #authorize(challenge: string, repository: string): Promise<string | undefined> {
    const { login } = this.#access;
    const { scheme, parameters } = readChallenge(challenge);
    if (scheme === "basic") return login && basic(login);
    if (scheme !== "bearer" || parameters["realm"] === undefined) return undefined;
    const { realm, service, scope = `repository:${repository}:pull` } = parameters;
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    url.searchParams.set("scope", scope);
    const form =
      login?.identityToken === undefined
        ? undefined
        : new URLSearchParams({
            grant_type: "refresh_token",
            refresh_token: login.identityToken,
            client_id: "lambent",
            service: service ?? "",
            scope,
          }).toString();
    const answer = await httpGet(url.href, {
      headers: login && form === undefined ? { authorization: basic(login) } : {},
      ...(form === undefined ? {} : { form }),
      mayBePlain: this.#access.mayBePlain,
      signal: this.#signal,
    });
    if (answer.statusCode !== 200) throw await this.#refusal(answer, repository, true);
    const { token, access_token: other } = JSON.parse(String(await bytesOf(answer))) as {
      token?: string;
      access_token?: string;
    };
    return `Bearer ${token ?? other}`;
  }

  async #refusal(answer: IncomingMessage, repository: string, isKnown: boolean): Promise<ImageError> {
    const { statusCode: status = 0 } = answer;
    const { registry } = this.#access;
    const said = await bytesOf(answer).then(firstMessage, () => "");
    if (!isKnown && said === "" && !isOfRegistry(answer))
      return new ImageError("unreachable", `${registry} answered ${status}`, {
        cause: new Error(`what answers ${status} at ${registry} is no registry`),
      });
    if (status === 401 || status === 403)
      return new ImageError("denied", `${registry} denies access to ${repository}${said}`);
    if (status === 404)
      return new ImageError("missing", `${registry}/${repository} has no such image or content${said}`);
    return new ImageError("unreachable", `${registry} answered ${status} for ${repository}${said}`);
  }
}

/** Whether an answer shows by its headers that a registry gives it. */
function isOfRegistry({ headers }: IncomingMessage): boolean {
  return (
    headers["docker-distribution-api-version"] !== undefined ||
    /^application\/vnd\.(oci|docker)\./.test(headers["content-type"] ?? "") ||
    readChallenge(headers["www-authenticate"] ?? "").scheme === "bearer"
  );
}

/**
 * Whoever may make functions names hosts and ports, of this machine and its network too, and shall not learn which of them answer. That a
 * name is not known at all may be told.
 */
function withoutReason(error: ImageError, { registry }: RegistryAccess): ImageError {
  const { code } = (error.cause ?? {}) as { code?: string };
  if (error.cause === undefined || code === "ENOTFOUND" || code === "EAI_AGAIN") return error;
  const text = `no registry can be reached at ${registry}; the server's log tells why`;
  return new ImageError("unreachable", text, { cause: error });
}

/** Scheme and parameters of a WWW-Authenticate header. */
export function readChallenge(header: string): {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string | undefined>>;
} {
  const [, scheme = "", rest = ""] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(header) ?? [];
  const parameters: Record<string, string> = {};
  for (const [, name = "", quoted, bare] of rest.matchAll(/([a-zA-Z_]+)=(?:"([^"]*)"|([^\s,]+))/g))
    parameters[name.toLowerCase()] = quoted ?? bare ?? "";
  return { scheme: scheme.toLowerCase(), parameters };
}

function unreadable({ registry }: RegistryAccess, error: Error): ImageError {
  return new ImageError("unreachable", `${registry} gave an answer that cannot be read: ${error.message}`, {
    cause: error,
  });
}

function basic({ username, password }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The registry's own words, for people. */
function firstMessage(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: { code?: string; message?: string }[] };
    const [first] = errors ?? [];
    return first ? `: ${first.message ?? first.code}`.slice(0, 300) : "";
  } catch {
    return "";
  }
}
