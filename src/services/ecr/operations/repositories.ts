/** CreateRepository, DescribeRepositories, DeleteRepository and PutImageTagMutability. */
import type { ImageTagMutability, Repository } from "@aws-sdk/client-ecr";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter, noSuchRepository } from "../errors.ts";
import { REPOSITORIES_MAX } from "../limits.ts";
import { denied, repositoryFor } from "../lookup.ts";
import { registryHost, repositoryArn } from "../names.ts";
import { readPosition, writeToken } from "../paging.ts";
import {
  countRepositories,
  deleteRepositoryRow,
  getRepository,
  insertRepository,
  listRepositories,
  setMutability,
} from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { countImages, deleteAllImages } from "../store-images.ts";
import { unlinkAllLayers } from "../store-layers.ts";
import { deleteUpload, listParts, listUploads } from "../store-uploads.ts";
import { requireStill } from "../uploads.ts";
import { tagsFrom } from "./tags.ts";

const REPOSITORIES_PER_PAGE = 100;

export async function createRepository(
  ecr: Ecr,
  input: Input<Client, "CreateRepository">,
  context: RequestContext,
): Promise<Output<Client, "CreateRepository">> {
  const { account, region } = context;
  if (input.registryId !== undefined && input.registryId !== account)
    throw invalidParameter("registryId", "A repository can be created in the caller's own registry only");
  if (input.imageScanningConfiguration?.scanOnPush === true)
    throw notImplemented("imageScanningConfiguration.scanOnPush of CreateRepository");
  if (input.encryptionConfiguration !== undefined)
    throw notImplemented("encryptionConfiguration of CreateRepository");
  const { mutability, exclusions } = mutabilityFrom(input);
  const row: RepositoryRow = {
    // Never used again, unlike a counter's: 52 random bits.
    repository_id: Number.parseInt(ecr.ids.hex(13), 16),
    account,
    region,
    name: input.repositoryName ?? "",
    created_at: ecr.clock.now(),
    mutability,
    exclusions: JSON.stringify(exclusions),
    tags: JSON.stringify(tagsFrom({}, input.tags)),
    policy: null,
    lifecycle: null,
    evaluated_at: null,
    preview: null,
  };
  await ecr.database.tx(async (tx) => {
    if (await getRepository(tx, row))
      throw new AwsError(
        "RepositoryAlreadyExistsException",
        `The repository with name '${row.name}' already exists in the registry with id '${account}'`,
      );
    if ((await countRepositories(tx, row)) >= REPOSITORIES_MAX)
      throw new AwsError("LimitExceededException", `A registry has at most ${REPOSITORIES_MAX} repositories`);
    await insertRepository(tx, row);
  });
  return { repository: describe(row, context) };
}

export async function describeRepositories(
  ecr: Ecr,
  input: Input<Client, "DescribeRepositories">,
  context: RequestContext,
): Promise<Output<Client, "DescribeRepositories">> {
  const { registryId, repositoryNames } = input;
  if (repositoryNames) {
    if (input.maxResults !== undefined || input.nextToken !== undefined)
      throw invalidParameter(
        "repositoryNames",
        "maxResults and nextToken cannot be used with repositoryNames",
      );
    const named = repositoryNames.map((repositoryName) =>
      repositoryFor(ecr, { registryId, repositoryName }, context),
    );
    return { repositories: (await Promise.all(named)).map((row) => describe(row, context)) };
  }
  const { account, region } = context;
  if (registryId !== undefined && registryId !== account) {
    const every = repositoryArn({ account: registryId, region, name: "*" });
    const why = "because no resource-based policy allows the ecr:DescribeRepositories action";
    throw denied(every, "ecr:DescribeRepositories", context, why);
  }
  const [after = ""] = readPosition(input.nextToken, 1) ?? [];
  const count = input.maxResults ?? REPOSITORIES_PER_PAGE;
  const rows = await listRepositories(ecr.database, { account, region }, after, count + 1);
  const page = rows.slice(0, count);
  return {
    repositories: page.map((row) => describe(row, context)),
    ...(rows.length > count && { nextToken: writeToken([page.at(-1)?.name ?? ""]) }),
  };
}

export async function deleteRepository(
  ecr: Ecr,
  input: Input<Client, "DeleteRepository">,
  context: RequestContext,
): Promise<Output<Client, "DeleteRepository">> {
  const { repository_id: id } = await repositoryFor(ecr, input, context);
  const { row, files } = await ecr.database.tx(async (tx) => {
    const found = await getRepository(tx, {
      account: input.registryId ?? context.account,
      region: context.region,
      name: input.repositoryName ?? "",
    });
    if (!found) throw noSuchRepository({ account: context.account, name: input.repositoryName ?? "" });
    if (input.force !== true && (await countImages(tx, id)) > 0)
      throw new AwsError(
        "RepositoryNotEmptyException",
        `The repository with name '${found.name}' in registry with id '${found.account}' cannot be deleted because it still contains images`,
      );
    const parts: string[] = [];
    for (const { upload_id } of await listUploads(tx, id)) {
      parts.push(...(await listParts(tx, upload_id)).map(({ blob_name }) => blob_name));
      await deleteUpload(tx, upload_id);
    }
    await deleteAllImages(tx, id);
    await unlinkAllLayers(tx, id);
    await deleteRepositoryRow(tx, id);
    return { row: found, files: parts };
  });
  ecr.files.discard(files);
  ecr.housekeeping.runSoon();
  return { repository: describe(row, context) };
}

export async function putImageTagMutability(
  ecr: Ecr,
  input: Input<Client, "PutImageTagMutability">,
  context: RequestContext,
): Promise<Output<Client, "PutImageTagMutability">> {
  const { mutability, exclusions } = mutabilityFrom(input);
  const repository = await repositoryFor(ecr, input, context);
  await ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    await setMutability(tx, repository.repository_id, mutability, exclusions);
  });
  return {
    registryId: repository.account,
    repositoryName: repository.name,
    ...describeMutability(mutability, exclusions),
  };
}

type MutabilityInput = Pick<
  Input<Client, "CreateRepository">,
  "imageTagMutability" | "imageTagMutabilityExclusionFilters"
>;

function mutabilityFrom(input: MutabilityInput): { mutability: ImageTagMutability; exclusions: string[] } {
  const mutability = input.imageTagMutability ?? "MUTABLE";
  const exclusions = (input.imageTagMutabilityExclusionFilters ?? []).map(({ filter = "" }) => filter);
  if (mutability.endsWith("_WITH_EXCLUSION") !== exclusions.length > 0)
    throw invalidParameter(
      "imageTagMutabilityExclusionFilters",
      `filters are given with IMMUTABLE_WITH_EXCLUSION and MUTABLE_WITH_EXCLUSION, and only with these`,
    );
  if (exclusions.some((filter) => filter.split("*").length > 3))
    throw invalidParameter("imageTagMutabilityExclusionFilters", "a filter has at most 2 wildcards");
  return { mutability, exclusions };
}

function describeMutability(mutability: string, exclusions: readonly string[]) {
  return {
    imageTagMutability: mutability as ImageTagMutability,
    ...(exclusions.length > 0 && {
      imageTagMutabilityExclusionFilters: exclusions.map((filter) => ({
        filterType: "WILDCARD" as const,
        filter,
      })),
    }),
  };
}

function describe(row: RepositoryRow, { endpoint }: RequestContext): Repository {
  return {
    repositoryArn: repositoryArn(row),
    registryId: row.account,
    repositoryName: row.name,
    repositoryUri: `${registryHost(row, endpoint)}/${row.name}`,
    createdAt: new Date(row.created_at),
    ...describeMutability(row.mutability, JSON.parse(row.exclusions) as string[]),
    imageScanningConfiguration: { scanOnPush: false },
  };
}
