/** Domains of sign-in pages: CreateUserPoolDomain, DescribeUserPoolDomain, DeleteUserPoolDomain. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { requirePool } from "../pools/lookup.ts";
import { addDomain, deleteDomain, domainOfPool, poolOfDomain } from "../store/oauth.ts";
import { getPool } from "../store/pools.ts";

const RESERVED = ["aws", "amazon", "cognito"];
/** The plain pages: those of the second version are designed. */
const PLAIN_PAGES = 1;

export async function createUserPoolDomain(
  { database }: UserPools,
  input: Input<Client, "CreateUserPoolDomain">,
  context: RequestContext,
): Promise<Output<Client, "CreateUserPoolDomain">> {
  const { Domain = "", UserPoolId, ManagedLoginVersion = PLAIN_PAGES } = input;
  if (input.CustomDomainConfig)
    throw notImplemented("CustomDomainConfig: domains with certificates of their own");
  if (input.Routing) throw notImplemented("Routing of a user pool's domain");
  if (ManagedLoginVersion !== PLAIN_PAGES)
    throw notImplemented(`ManagedLoginVersion ${ManagedLoginVersion}: branded pages`);
  const reserved = RESERVED.find((word) => Domain.includes(word));
  if (reserved !== undefined) throw invalidParameter(`Domain cannot contain reserved word: ${reserved}`);
  await database.tx(async (tx) => {
    const { poolId, region } = await requirePool(tx, context, UserPoolId);
    if ((await poolOfDomain(tx, Domain, region)) !== undefined)
      throw invalidParameter("Domain already associated with another user pool.");
    const own = await domainOfPool(tx, poolId);
    if (own !== undefined) throw invalidParameter(`The user pool already has the domain ${own}.`);
    await addDomain(tx, Domain, region, poolId);
  });
  return { ManagedLoginVersion };
}

/** Of a domain that nobody has, nothing is told. */
export async function describeUserPoolDomain(
  { database }: UserPools,
  { Domain = "" }: Input<Client, "DescribeUserPoolDomain">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DescribeUserPoolDomain">> {
  const poolId = await poolOfDomain(database, Domain, region);
  const pool = poolId === undefined ? undefined : await getPool(database, poolId);
  if (pool?.account !== account) return { DomainDescription: {} };
  return {
    DomainDescription: {
      UserPoolId: pool.poolId,
      AWSAccountId: account,
      Domain,
      Version: String(pool.createdAt),
      Status: "ACTIVE",
      ManagedLoginVersion: PLAIN_PAGES,
    },
  };
}

export async function deleteUserPoolDomain(
  { database }: UserPools,
  { Domain = "", UserPoolId }: Input<Client, "DeleteUserPoolDomain">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const { poolId, region } = await requirePool(tx, context, UserPoolId);
    if ((await poolOfDomain(tx, Domain, region)) !== poolId)
      throw invalidParameter(`No such domain or user pool exists: ${Domain}`);
    await deleteDomain(tx, Domain, region);
  });
  return {};
}
