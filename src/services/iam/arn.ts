/** ARNs of IAM's entities. */

export function roleArn(account: string, path: string, name: string): string {
  return `arn:aws:iam::${account}:role${path}${name}`;
}

export function userArn(account: string, path: string, name: string): string {
  return `arn:aws:iam::${account}:user${path}${name}`;
}

export function policyArn(account: string, path: string, name: string): string {
  return `arn:aws:iam::${account}:policy${path}${name}`;
}

export function assumedRoleArn(account: string, roleName: string, sessionName: string): string {
  return `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`;
}

export interface EntityArn {
  readonly account: string;
  readonly kind: "role" | "user" | "policy";
  /** With both slashes: `/`, `/service-role/`. */
  readonly path: string;
  readonly name: string;
}

/** Takes an IAM ARN apart; undefined for anything else. */
export function parseEntityArn(arn: string): EntityArn | undefined {
  const match = /^arn:aws:iam::(\d{12}):(role|user|policy)(\/(?:.*\/)?)([^/]+)$/.exec(arn);
  if (!match) return undefined;
  const [, account = "", kind, path = "/", name = ""] = match;
  return { account, kind: kind as EntityArn["kind"], path, name };
}
