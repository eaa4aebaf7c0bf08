/** What a connection signs in by: as it is given, checked, changed and told. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output } from "../../../aws/service.ts";
import type { Client } from "../deps.ts";
import { invalidParameter, validation } from "../errors.ts";
import type { ConnectionRow } from "../store/connections.ts";

export type Kind = ConnectionRow["kind"];
type Given = NonNullable<Input<Client, "UpdateConnection">["AuthParameters"]>;
type Told = NonNullable<Output<Client, "DescribeConnection">["AuthParameters"]>;

interface Parameter {
  readonly Key?: string;
  readonly Value?: string;
  readonly IsValueSecret?: boolean;
}

export interface HttpParameters {
  readonly HeaderParameters?: readonly Parameter[];
  readonly QueryStringParameters?: readonly Parameter[];
  readonly BodyParameters?: readonly Parameter[];
}

/** As it is kept, encrypted. */
export interface Auth {
  readonly BasicAuthParameters?: { readonly Username?: string; readonly Password?: string };
  readonly ApiKeyAuthParameters?: { readonly ApiKeyName?: string; readonly ApiKeyValue?: string };
  readonly OAuthParameters?: {
    readonly ClientParameters?: { readonly ClientID?: string; readonly ClientSecret?: string };
    readonly AuthorizationEndpoint?: string;
    readonly HttpMethod?: string;
    readonly OAuthHttpParameters?: HttpParameters;
  };
  readonly InvocationHttpParameters?: HttpParameters;
}

const OWN = {
  API_KEY: "ApiKeyAuthParameters",
  BASIC: "BasicAuthParameters",
  OAUTH_CLIENT_CREDENTIALS: "OAuthParameters",
} as const satisfies Record<Kind, keyof Auth>;

/** @param before What an update leaves as it is. @throws AwsError ValidationException; NotImplemented for what reaches into VPCs */
export function checkAuth(kind: Kind, given: Given = {}, before: Auth = {}): Auth {
  if (given.ConnectivityParameters)
    throw notImplemented("connections to private APIs (AuthParameters.ConnectivityParameters)");
  const own = OWN[kind];
  for (const other of Object.values(OWN))
    if (other !== own && given[other] !== undefined)
      throw validation(`AuthParameters.${other} cannot be given for the authorization type ${kind}.`);
  const plain = JSON.parse(JSON.stringify(given)) as Auth;
  const merged: Auth = {
    [own]: { ...before[own], ...plain[own] },
    ...((plain.InvocationHttpParameters ?? before.InvocationHttpParameters) && {
      InvocationHttpParameters: plain.InvocationHttpParameters ?? before.InvocationHttpParameters,
    }),
  };
  requireWhole(kind, merged);
  return merged;
}

function requireWhole(
  kind: Kind,
  { BasicAuthParameters, ApiKeyAuthParameters, OAuthParameters }: Auth,
): void {
  const needed: Readonly<Record<string, string | undefined>> =
    kind === "BASIC"
      ? { Username: BasicAuthParameters?.Username, Password: BasicAuthParameters?.Password }
      : kind === "API_KEY"
        ? { ApiKeyName: ApiKeyAuthParameters?.ApiKeyName, ApiKeyValue: ApiKeyAuthParameters?.ApiKeyValue }
        : {
            ClientID: OAuthParameters?.ClientParameters?.ClientID,
            ClientSecret: OAuthParameters?.ClientParameters?.ClientSecret,
            AuthorizationEndpoint: OAuthParameters?.AuthorizationEndpoint,
            HttpMethod: OAuthParameters?.HttpMethod,
          };
  for (const [name, value] of Object.entries(needed))
    if (value === undefined)
      throw invalidParameter(`AuthParameters.${name}`, `${name} is a required argument.`);
}

/** Without what is secret. */
export function toldAuth(auth: Auth): Told {
  const { BasicAuthParameters, ApiKeyAuthParameters, OAuthParameters, InvocationHttpParameters } = auth;
  const told = {
    ...(BasicAuthParameters && { BasicAuthParameters: { Username: BasicAuthParameters.Username } }),
    ...(ApiKeyAuthParameters && { ApiKeyAuthParameters: { ApiKeyName: ApiKeyAuthParameters.ApiKeyName } }),
    ...(OAuthParameters && {
      OAuthParameters: {
        ...OAuthParameters,
        ClientParameters: { ClientID: OAuthParameters.ClientParameters?.ClientID },
        ...(OAuthParameters.OAuthHttpParameters && {
          OAuthHttpParameters: withoutSecrets(OAuthParameters.OAuthHttpParameters),
        }),
      },
    }),
    ...(InvocationHttpParameters && { InvocationHttpParameters: withoutSecrets(InvocationHttpParameters) }),
  };
  return told as Told;
}

function withoutSecrets(parameters: HttpParameters): HttpParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([place, list]) => [
      place,
      (list as readonly Parameter[]).map(({ Value, ...rest }) =>
        rest.IsValueSecret === true ? rest : { ...rest, ...(Value !== undefined && { Value }) },
      ),
    ]),
  );
}
