/**
 * Secrets that mappings name by the ARNs of Secrets Manager. There is no Secrets Manager here: the operator keeps them in a file
 * (`--secrets`) that only its owner may read, each under its ARN, with the members that AWS documents for its use.
 *
 *     { "arn:aws:secretsmanager:us-east-1:000000000000:secret:kafka-x1y2z3": { "username": "orders", "password": "…" },
 *       "arn:aws:secretsmanager:us-east-1:000000000000:secret:ca-x1y2z3": { "certificate": "-----BEGIN CERTIFICATE-----…" } }
 */
import { AccessError } from "./access-error.ts";
import { readSettingsFile } from "./settings-file.ts";

export class Secrets {
  readonly #path: string | undefined;

  /** @param path Undefined where no file was named. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /**
   * The members of a secret.
   * @param needed Members that must be there, as texts. @param welcome Members that may be.
   * @throws AccessError that names the secret and what to do; never what it holds.
   */
  async read<Name extends string, Welcome extends string = never>(
    arn: string,
    needed: readonly Name[],
    welcome: readonly Welcome[] = [],
  ): Promise<Readonly<Record<Name, string>> & { readonly [key in Welcome]?: string }> {
    const entry = (await readSettingsFile(this.#path, { isSecret: true }))[arn];
    if (typeof entry !== "object" || entry === null)
      throw new AccessError(
        this.#path === undefined
          ? `the secret ${arn} is unknown: name a file of secrets with --secrets (LAMBENT_SECRETS), and write this one there under its ARN`
          : `${this.#path} has no secret "${arn}"`,
      );
    const texts = entry as Record<string, unknown>;
    const missing = needed.filter((name) => typeof texts[name] !== "string");
    if (missing.length > 0) throw new AccessError(`the secret ${arn} has no text "${missing.join('", "')}"`);
    const taken = [...needed, ...welcome.filter((name) => typeof texts[name] === "string")];
    return Object.fromEntries(taken.map((name) => [name, texts[name]])) as Record<Name | Welcome, string>;
  }
}
