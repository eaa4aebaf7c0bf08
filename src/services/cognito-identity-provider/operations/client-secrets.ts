/** Secrets of clients, of which one can replace the other: Add, Delete and ListUserPoolClientSecrets. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter, limitExceeded, notFound } from "../errors.ts";
import { SECRETS_PER_CLIENT_MAX } from "../limits.ts";
import { newClientSecret } from "../names.ts";
import { requireClient, requirePool } from "../pools/lookup.ts";
import { updateClient } from "../store/clients.ts";
import type { ClientSecret } from "../store/clients.ts";

const described = ({ id, createdAt }: ClientSecret) => ({
  ClientSecretId: id,
  ClientSecretCreateDate: new Date(createdAt),
});

export async function addUserPoolClientSecret(
  { clock, database, ids }: UserPools,
  input: Input<Client, "AddUserPoolClientSecret">,
  context: RequestContext,
): Promise<Output<Client, "AddUserPoolClientSecret">> {
  const now = clock.now();
  const added: ClientSecret = {
    id: ids.uuid(),
    value: input.ClientSecret ?? newClientSecret(),
    createdAt: now,
  };
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    const client = await requireClient(tx, pool, input.ClientId);
    if (client.secrets.length === 0)
      throw invalidParameter("The client was made without a secret, and cannot be given one.");
    if (client.secrets.length >= SECRETS_PER_CLIENT_MAX)
      throw limitExceeded(`A client can have at most ${SECRETS_PER_CLIENT_MAX} secrets.`);
    await updateClient(tx, { ...client, secrets: [...client.secrets, added], modifiedAt: now });
  });
  return { ClientSecretDescriptor: { ...described(added), ClientSecretValue: added.value } };
}

export async function deleteUserPoolClientSecret(
  { clock, database }: UserPools,
  { UserPoolId, ClientId, ClientSecretId }: Input<Client, "DeleteUserPoolClientSecret">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    const client = await requireClient(tx, pool, ClientId);
    const secrets = client.secrets.filter(({ id }) => id !== ClientSecretId);
    if (secrets.length === client.secrets.length)
      throw notFound(`Client secret ${ClientSecretId} does not exist.`);
    if (secrets.length === 0) throw invalidParameter("The last secret of a client cannot be deleted.");
    await updateClient(tx, { ...client, secrets, modifiedAt: clock.now() });
  });
  return {};
}

/** Two at most, so that there is always one page. */
export async function listUserPoolClientSecrets(
  { database }: UserPools,
  { UserPoolId, ClientId }: Input<Client, "ListUserPoolClientSecrets">,
  context: RequestContext,
): Promise<Output<Client, "ListUserPoolClientSecrets">> {
  const pool = await requirePool(database, context, UserPoolId);
  const { secrets } = await requireClient(database, pool, ClientId);
  return { ClientSecrets: secrets.map(described) };
}
