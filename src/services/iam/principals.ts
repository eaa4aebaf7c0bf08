/** Principals that policies name: IAM, and AWS's services with it, take no user or role that does not exist. */
import type { Reader } from "../../store/database.ts";
import { parseEntityArn, roleArn, userArn } from "./arn.ts";
import type { PolicyDocument } from "./policy/index.ts";
import { getRole, getUser } from "./store.ts";

const SESSION = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\/.+$/;

/**
 * The first user or role of an account that a document names and that does not exist. Those of other accounts are taken as they are: they
 * may live on another installation, or on AWS.
 */
export async function unknownPrincipal(
  reader: Reader,
  account: string,
  document: PolicyDocument,
): Promise<string | undefined> {
  for (const { principals, notPrincipals } of document.statements) {
    const set = principals ?? notPrincipals;
    if (set === undefined || set === "*") continue;
    for (const arn of set.AWS ?? []) if (!(await isKnown(reader, account, arn))) return arn;
  }
  return undefined;
}

async function isKnown(reader: Reader, account: string, arn: string): Promise<boolean> {
  const [, sessionAccount, roleName = ""] = SESSION.exec(arn) ?? [];
  if (sessionAccount !== undefined)
    return sessionAccount !== account || (await getRole(reader, account, roleName)) !== undefined;
  const entity = parseEntityArn(arn);
  if (entity?.account !== account) return true;
  if (entity.kind === "role") {
    const role = await getRole(reader, account, entity.name);
    return role !== undefined && roleArn(account, role.path, role.name) === arn;
  }
  const user = await getUser(reader, account, entity.name);
  return user !== undefined && userArn(account, user.path, user.name) === arn;
}
