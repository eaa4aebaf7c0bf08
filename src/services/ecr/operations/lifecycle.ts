/** Lifecycle policies, and previews of what they would expire. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter, noLifecyclePolicy } from "../errors.ts";
import { whatExpires } from "../lifecycle/apply.ts";
import { readLifecyclePolicy } from "../lifecycle/policy.ts";
import { repositoryFor } from "../lookup.ts";
import { readPosition, writeToken } from "../paging.ts";
import { setLifecycle, setPreview } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { requireStill } from "../uploads.ts";

const RESULTS_PER_PAGE = 100;

/** What a preview found, as it is kept. */
interface Preview {
  readonly policy: string;
  readonly results: readonly {
    readonly digest: string;
    readonly tags: readonly string[];
    readonly pushedAt: number;
    readonly priority: number;
  }[];
}

export async function putLifecyclePolicy(
  ecr: Ecr,
  input: Input<Client, "PutLifecyclePolicy">,
  context: RequestContext,
): Promise<Output<Client, "PutLifecyclePolicy">> {
  const text = input.lifecyclePolicyText ?? "";
  readLifecyclePolicy(text);
  const repository = await repositoryFor(ecr, input, context);
  await ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    await setLifecycle(tx, repository.repository_id, text);
  });
  ecr.housekeeping.runSoon();
  return told(repository, text);
}

export async function getLifecyclePolicy(
  ecr: Ecr,
  input: Input<Client, "GetLifecyclePolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetLifecyclePolicy">> {
  const repository = await repositoryFor(ecr, input, context);
  if (repository.lifecycle === null) throw noLifecyclePolicy(repository);
  return { ...told(repository, repository.lifecycle), ...evaluated(repository) };
}

export async function deleteLifecyclePolicy(
  ecr: Ecr,
  input: Input<Client, "DeleteLifecyclePolicy">,
  context: RequestContext,
): Promise<Output<Client, "DeleteLifecyclePolicy">> {
  const repository = await repositoryFor(ecr, input, context);
  const was = await ecr.database.tx(async (tx) => {
    const still = await requireStill(tx, repository);
    await setLifecycle(tx, repository.repository_id, null);
    return still;
  });
  if (was.lifecycle === null) throw noLifecyclePolicy(repository);
  return { ...told(was, was.lifecycle), ...evaluated(was) };
}

/** The preview is made before this answers. */
export async function startLifecyclePolicyPreview(
  ecr: Ecr,
  input: Input<Client, "StartLifecyclePolicyPreview">,
  context: RequestContext,
): Promise<Output<Client, "StartLifecyclePolicyPreview">> {
  const repository = await repositoryFor(ecr, input, context);
  const policy = input.lifecyclePolicyText ?? repository.lifecycle;
  if (policy === null) throw noLifecyclePolicy(repository);
  const found = await whatExpires(ecr.database, repository.repository_id, policy, ecr.clock.now());
  const results = found.map(({ image: { digest, tags, pushedAt }, priority }) => ({
    digest,
    tags,
    pushedAt,
    priority,
  }));
  const preview: Preview = { policy, results };
  await ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    await setPreview(tx, repository.repository_id, JSON.stringify(preview));
  });
  return { ...told(repository, policy), status: "COMPLETE" };
}

export async function getLifecyclePolicyPreview(
  ecr: Ecr,
  input: Input<Client, "GetLifecyclePolicyPreview">,
  context: RequestContext,
): Promise<Output<Client, "GetLifecyclePolicyPreview">> {
  const repository = await repositoryFor(ecr, input, context);
  if (repository.preview === null)
    throw new AwsError(
      "LifecyclePolicyPreviewNotFoundException",
      `Lifecycle policy preview does not exist for the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
    );
  const { policy, results } = JSON.parse(repository.preview) as Preview;
  const ids = input.imageIds;
  if (ids && (input.nextToken !== undefined || input.maxResults !== undefined))
    throw invalidParameter("imageIds", "maxResults and nextToken cannot be used with imageIds");
  const status = input.filter?.tagStatus ?? "ANY";
  const wanted = results
    .filter(({ tags }) => status === "ANY" || (status === "TAGGED") === tags.length > 0)
    .filter(
      ({ digest, tags }) =>
        !ids ||
        ids.some(
          (id) =>
            (id.imageDigest ?? digest) === digest &&
            (id.imageTag === undefined || tags.includes(id.imageTag)),
        ),
    );
  const from = Number(readPosition(input.nextToken, 1)?.[0] ?? 0);
  const to = from + (input.maxResults ?? RESULTS_PER_PAGE);
  const page = ids ? wanted : wanted.slice(from, to);
  return {
    ...told(repository, policy),
    status: "COMPLETE",
    previewResults: page.map((one) => ({
      imageTags: [...one.tags],
      imageDigest: one.digest,
      imagePushedAt: new Date(one.pushedAt),
      action: { type: "EXPIRE" },
      appliedRulePriority: one.priority,
    })),
    summary: { expiringImageTotalCount: results.length },
    ...(!ids && wanted.length > to && { nextToken: writeToken([String(to)]) }),
  };
}

function told({ account, name }: RepositoryRow, lifecyclePolicyText: string) {
  return { registryId: account, repositoryName: name, lifecyclePolicyText };
}

function evaluated({ evaluated_at: at }: RepositoryRow) {
  return at === null ? {} : { lastEvaluatedAt: new Date(at) };
}
