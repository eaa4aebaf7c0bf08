/**
 * The registry as functions have images of it: who may make one of a repository's image, and what of it Lambda then reads.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
 */
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import { requirementOn } from "./authorization.ts";
import type { Ecr } from "./deps.ts";
import { checkPolicy } from "./lookup.ts";
import { awsHost, ownRegistry, registryOfHost, repositoryArn } from "./names.ts";
import { getRepository, setPolicy } from "./store.ts";
import type { RepositoryRow } from "./store.ts";
import { storedImages } from "./stored-images.ts";
import type { StoredManifest } from "./stored-images.ts";
import { requireStill } from "./uploads.ts";

export interface FunctionRepository {
  /** AWS's name of the registry. */
  readonly host: string;
  readonly region: string;
  /** Why Lambda may not read the repository for the function; of another region than the request's, nothing is decided. */
  readonly refusal: string | undefined;
}

export interface FunctionImages {
  /** The repository that an image's reference names, for a function that a caller makes or changes; undefined for other registries. */
  repositoryFor(
    reference: { readonly registry: string; readonly repository: string },
    functionArn: string,
    context: RequestContext,
  ): Promise<FunctionRepository | undefined>;
  /** What lies in the registry that has this name of AWS's; undefined for other hosts. Who may read is the caller's to decide. */
  at(host: string): RegistryContent | undefined;
}

export interface RegistryContent {
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  file(repository: string, digest: string): Promise<string | undefined>;
}

const LAMBDA = "lambda.amazonaws.com";
const READ = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
/** With these of the caller's, Lambda lets itself read. */
const CHANGE_POLICY = ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"];
/** Of the statement by which Lambda does, as AWS names it. */
const SID = "LambdaECRImageRetrievalPolicy";

export function functionImages(ecr: Ecr): FunctionImages {
  const stored = storedImages(ecr);
  return {
    async repositoryFor({ registry: host, repository: name }, functionArn, context) {
      const registry = ownRegistry(host, context, ecr.port);
      if (!registry) return undefined;
      const found = { host: awsHost(registry), region: registry.region };
      if (registry.region !== context.region) return { ...found, refusal: undefined };
      const repository = await getRepository(ecr.database, { ...registry, name });
      if (repository) return { ...found, refusal: await refusalOf(ecr, repository, functionArn, context) };
      // Another account's is not told to be missing.
      const refusal =
        registry.account === context.account
          ? undefined
          : `no policy of ${repositoryArn({ ...registry, name })} allows it`;
      return { ...found, refusal };
    },
    at(host) {
      const registry = registryOfHost(host);
      if (!registry || host !== awsHost(registry)) return undefined;
      return {
        manifest: (name, reference) => stored.manifest({ ...registry, name }, reference),
        file: (name, digest) => stored.file({ ...registry, name }, digest),
      };
    },
  };
}

/**
 * Why a function may not have the repository's images. Its policy has to let Lambda read; in the function's own account Lambda sees to that
 * itself where the caller may. In another account the caller has to be allowed to read as well, by their own policies and the repository's.
 */
async function refusalOf(
  ecr: Ecr,
  repository: RepositoryRow,
  functionArn: string,
  context: RequestContext,
): Promise<string | undefined> {
  const isOwn = repository.account === context.account;
  const lacking = isOwn ? undefined : await lackOf(ecr, repository, READ, context);
  if (lacking !== undefined) return lacking;
  const said = await Promise.all(
    READ.map((action) => whatPolicySaysOfLambda(ecr, repository, action, functionArn, context)),
  );
  const policy = `the policy of ${repositoryArn(repository)}`;
  if (said.includes("denied")) return `${policy} denies it to ${LAMBDA}`;
  if (!said.includes("none")) return undefined;
  const silence = `${policy} does not allow ${READ.join(" and ")} to ${LAMBDA} for ${functionArn}`;
  if (!isOwn) return silence;
  const why = await lackOf(ecr, repository, CHANGE_POLICY, context);
  if (why !== undefined) return `${silence}, and Lambda may not add that for the caller: ${why}`;
  await letLambdaRead(ecr, repository);
  return undefined;
}

/** Which of the actions the caller may not perform, in IAM's words; undefined for none. */
async function lackOf(
  ecr: Ecr,
  repository: RepositoryRow,
  actions: readonly string[],
  context: RequestContext,
): Promise<string | undefined> {
  try {
    for (const action of actions) {
      await context.authorize?.(requirementOn(repository, action));
      await checkPolicy(ecr, repository, action, context);
    }
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error.message;
    throw error;
  }
}

/** What the repository's policy says of Lambda. */
async function whatPolicySaysOfLambda(
  ecr: Ecr,
  repository: RepositoryRow,
  action: string,
  functionArn: string,
  { account, region }: RequestContext,
): ReturnType<Ecr["policies"]["ask"]> {
  if (repository.policy === null) return "none";
  const conditions = {
    "aws:principalisawsservice": "true",
    "aws:principalservicename": LAMBDA,
    "aws:requestedregion": region,
    "aws:securetransport": "true",
    "aws:sourceaccount": account,
    "aws:sourcearn": functionArn,
  };
  const question = { action, resources: [repositoryArn(repository)], conditions };
  return ecr.policies.ask(repository.policy, question, { service: LAMBDA });
}

/** Adds to the repository's policy what AWS's Lambda adds. */
async function letLambdaRead(ecr: Ecr, repository: RepositoryRow): Promise<void> {
  const { account, region } = repository;
  await ecr.database.tx(async (tx) => {
    const { policy } = await requireStill(tx, repository);
    const before = policy === null ? {} : (JSON.parse(policy) as { Version?: string; Statement?: unknown });
    const statements = before.Statement === undefined ? [] : [before.Statement].flat();
    const isTaken = statements.some((one) => (one as { Sid?: string }).Sid === SID);
    const added = {
      ...(isTaken ? {} : { Sid: SID }),
      Effect: "Allow",
      Principal: { Service: LAMBDA },
      Action: READ,
      Condition: { StringLike: { "aws:sourceArn": `arn:aws:lambda:${region}:${account}:function:*` } },
    };
    const after = { ...before, Version: before.Version ?? "2012-10-17", Statement: [...statements, added] };
    await setPolicy(tx, repository.repository_id, JSON.stringify(after));
  });
}
