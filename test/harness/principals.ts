/** Users and roles for tests, each with exactly the statements it is given. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { ClientOptions } from "./server.ts";

export interface Statement {
  readonly Effect?: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: object;
}

/** A policy document; statements allow, and on everything, unless they say otherwise. */
export function policyOf(...statements: readonly Statement[]): string {
  const Statement = statements.map((one) => ({ Effect: "Allow", Resource: "*", ...one }));
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

export interface TestUser {
  readonly options: ClientOptions;
  readonly arn: string;
  /** Replaces what the user may do. */
  may(...statements: readonly Statement[]): Promise<void>;
}

/** A user of the account of `root`, with an access key. */
export async function makeUser(
  root: ClientOptions,
  UserName: string,
  ...statements: readonly Statement[]
): Promise<TestUser> {
  const iam = new IAMClient(root);
  const { User } = await iam.send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey ?? {};
  const named = { UserName, PolicyName: "test" };
  const user: TestUser = {
    options: { ...root, credentials: { accessKeyId, secretAccessKey } },
    arn: User?.Arn ?? "",
    async may(...given) {
      if (given.length === 0) await iam.send(new DeleteUserPolicyCommand(named));
      else await iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: policyOf(...given) }));
    },
  };
  if (statements.length > 0) await user.may(...statements);
  return user;
}

/** The client options of a session of a new role that may do what the statements say. */
export async function assumeNewRole(
  root: ClientOptions,
  RoleName: string,
  statements: readonly Statement[],
  sessionPolicy?: string,
): Promise<ClientOptions> {
  const iam = new IAMClient(root);
  const trust = { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({ RoleName, PolicyName: "test", PolicyDocument: policyOf(...statements) }),
  );
  const { Credentials } = await new STSClient(root).send(
    new AssumeRoleCommand({
      RoleArn: Role?.Arn,
      RoleSessionName: "session",
      ...(sessionPolicy !== undefined && { Policy: sessionPolicy }),
    }),
  );
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
  return { ...root, credentials };
}
