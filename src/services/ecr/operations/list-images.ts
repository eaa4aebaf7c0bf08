/** DescribeImages, ListImages and ListImageReferrers. */
import type { ImageDetail } from "@aws-sdk/client-ecr";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { requireImage } from "../images.ts";
import { repositoryFor } from "../lookup.ts";
import { readPosition, writeToken } from "../paging.ts";
import type { RepositoryRow } from "../store.ts";
import { imagesAbout, listImages as list, listTaggedDigests, tagsOfImage } from "../store-images.ts";
import type { ImageRow } from "../store-images.ts";

const IMAGES_PER_PAGE = 100;
const REFERRERS_PER_PAGE = 50;

export async function describeImages(
  ecr: Ecr,
  input: Input<Client, "DescribeImages">,
  context: RequestContext,
): Promise<Output<Client, "DescribeImages">> {
  const repository = await repositoryFor(ecr, input, context);
  if (input.imageIds) {
    if (input.maxResults !== undefined || input.nextToken !== undefined)
      throw invalidParameter("imageIds", "maxResults and nextToken cannot be used with imageIds");
    const named = new Map<string, ImageRow>();
    for (const id of input.imageIds) {
      const image = await requireImage(ecr.database, repository, id);
      named.set(image.digest, image);
    }
    return { imageDetails: await describeAll(ecr, repository, [...named.values()]) };
  }
  if (isOfArchive(input.filter?.imageStatus)) return { imageDetails: [] };
  const count = input.maxResults ?? IMAGES_PER_PAGE;
  const [after = ""] = readPosition(input.nextToken, 1) ?? [];
  const status = input.filter?.tagStatus ?? "ANY";
  const rows = await list(ecr.database, repository.repository_id, after, status, count + 1);
  const page = rows.slice(0, count);
  return {
    imageDetails: await describeAll(ecr, repository, page),
    ...(rows.length > count && { nextToken: writeToken([page.at(-1)?.digest ?? ""]) }),
  };
}

export async function listImages(
  ecr: Ecr,
  input: Input<Client, "ListImages">,
  context: RequestContext,
): Promise<Output<Client, "ListImages">> {
  const { repository_id: id } = await repositoryFor(ecr, input, context);
  if (isOfArchive(input.filter?.imageStatus)) return { imageIds: [] };
  const count = input.maxResults ?? IMAGES_PER_PAGE;
  const [digest = "", tag = ""] = readPosition(input.nextToken, 2) ?? [];
  const status = input.filter?.tagStatus ?? "ANY";
  const rows = await listTaggedDigests(ecr.database, id, { digest, tag }, status, count + 1);
  const page = rows.slice(0, count);
  const last = page.at(-1);
  return {
    imageIds: page.map((one) => ({ imageDigest: one.digest, ...(one.tag !== "" && { imageTag: one.tag }) })),
    ...(last && rows.length > count && { nextToken: writeToken([last.digest, last.tag]) }),
  };
}

export async function listImageReferrers(
  ecr: Ecr,
  input: Input<Client, "ListImageReferrers">,
  context: RequestContext,
): Promise<Output<Client, "ListImageReferrers">> {
  const { repository_id: id } = await repositoryFor(ecr, input, context);
  if (isOfArchive(input.filter?.artifactStatus)) return { referrers: [] };
  const count = input.maxResults ?? REFERRERS_PER_PAGE;
  const [after = ""] = readPosition(input.nextToken, 1) ?? [];
  const subject = input.subjectId?.imageDigest ?? "";
  const rows = await imagesAbout(ecr.database, id, subject, after, count + 1);
  const page = rows.slice(0, count);
  const types = input.filter?.artifactTypes;
  const wanted = types?.length ? page.filter((row) => types.includes(row.artifact_type ?? "")) : page;
  return {
    referrers: wanted.map((row) => ({
      digest: row.digest,
      mediaType: row.media_type,
      size: row.manifest_bytes,
      ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
      ...(row.annotations !== null && { annotations: JSON.parse(row.annotations) as Record<string, string> }),
      artifactStatus: "ACTIVE" as const,
    })),
    ...(rows.length > count && { nextToken: writeToken([page.at(-1)?.digest ?? ""]) }),
  };
}

/** No image is ever archived. */
function isOfArchive(status: string | undefined): boolean {
  return status === "ARCHIVED" || status === "ACTIVATING";
}

function describeAll(ecr: Ecr, repository: RepositoryRow, rows: readonly ImageRow[]): Promise<ImageDetail[]> {
  return Promise.all(rows.map((row) => describe(ecr, repository, row)));
}

async function describe(ecr: Ecr, repository: RepositoryRow, row: ImageRow): Promise<ImageDetail> {
  const tags = await tagsOfImage(ecr.database, repository.repository_id, row.digest);
  return {
    registryId: repository.account,
    repositoryName: repository.name,
    imageDigest: row.digest,
    ...(tags.length > 0 && { imageTags: tags }),
    imageSizeInBytes: row.image_bytes,
    imagePushedAt: new Date(row.pushed_at),
    imageManifestMediaType: row.media_type,
    ...(row.artifact_type !== null && { artifactMediaType: row.artifact_type }),
    ...(row.subject !== null && { subjectManifestDigest: row.subject }),
    ...(row.pulled_at !== null && { lastRecordedPullTime: new Date(row.pulled_at) }),
    imageStatus: "ACTIVE",
  };
}
