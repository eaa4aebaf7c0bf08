/** Lists of the registry: tags, repositories, and the manifests that are about another. */
import { OCI_INDEX } from "../manifest.ts";
import { repositoryArn } from "../names.ts";
import { listRepositories } from "../store.ts";
import { imagesAbout, listTags as tagsAfter } from "../store-images.ts";
import { RegistryError, json } from "./answer.ts";
import type { RegistryAnswer } from "./answer.ts";
import { checkDigest } from "./blobs.ts";
import { repositoryOf } from "./call.ts";
import type { RegistryCall } from "./call.ts";

/** Of one answer, whatever is asked for. */
const ENTRIES_MAX = 1_000;

export async function listTags(call: RegistryCall, name: string): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "ListImages");
  const { count, last } = pageOf(call);
  const found = await tagsAfter(call.ecr.database, repository.repository_id, last, count + 1);
  const tags = found.slice(0, count);
  return json(200, { name, tags }, next(call, count, found.length > count, tags.at(-1)));
}

/** The repositories of the caller's registry. */
export async function listCatalogue(call: RegistryCall): Promise<RegistryAnswer> {
  const { ecr, context, registry } = call;
  const every = repositoryArn({ ...registry, name: "*" });
  await context.authorize?.({ action: "ecr:DescribeRepositories", resource: every });
  if (registry.account !== context.account)
    throw new RegistryError("DENIED", 403, "The repositories of another account's registry are not listed");
  const { count, last } = pageOf(call);
  const found = (await listRepositories(ecr.database, registry, last, count + 1)).map(({ name }) => name);
  const repositories = found.slice(0, count);
  return json(200, { repositories }, next(call, count, found.length > count, repositories.at(-1)));
}

/** Manifests whose subject is another one, as an index of them. */
export async function listReferrers(
  call: RegistryCall,
  name: string,
  digest: string,
): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "ListImageReferrers", "BatchGetImage");
  checkDigest(digest);
  const { count, last } = pageOf(call);
  const found = await imagesAbout(call.ecr.database, repository.repository_id, digest, last, count + 1);
  const page = found.slice(0, count);
  const type = call.request.query.get("artifactType")?.[0];
  const manifests = page
    .filter((row) => type === undefined || row.artifact_type === type)
    .map((row) => ({
      mediaType: row.media_type,
      digest: row.digest,
      size: row.manifest_bytes,
      ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
      ...(row.annotations !== null && { annotations: JSON.parse(row.annotations) as object }),
    }));
  return json(
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    {
      "content-type": OCI_INDEX,
      ...(type !== undefined && { "oci-filters-applied": "artifactType" }),
      ...next(call, count, found.length > count, page.at(-1)?.digest),
    },
  );
}

function pageOf({ request }: RegistryCall): { count: number; last: string } {
  const n = request.query.get("n")?.[0];
  const last = request.query.get("last")?.[0] ?? "";
  if (n === undefined) return { count: ENTRIES_MAX, last };
  if (!/^\d{1,9}$/.test(n))
    throw new RegistryError("PAGINATION_NUMBER_INVALID", 400, `n is a number of entries, not '${n}'`);
  return { count: Math.min(Number(n), ENTRIES_MAX), last };
}

/** Where the next page is, if there is one. */
function next(
  { request }: RegistryCall,
  count: number,
  isMore: boolean,
  last: string | undefined,
): Record<string, string> {
  if (!isMore || last === undefined) return {};
  const query = new URLSearchParams(request.rawQuery);
  query.set("n", String(count));
  query.set("last", last);
  return { link: `<${request.path}?${query.toString()}>; rel="next"` };
}
