/** Applies lifecycle policies to the images of repositories. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Reader } from "../../../store/database.ts";
import { removeImage } from "../images.ts";
import { getRepositoryById, repositoriesWithLifecycle, setEvaluated } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { imagesInLists, listImages, orphanedArtifacts, tagsOfImage } from "../store-images.ts";
import { expiredImages } from "./expired.ts";
import type { Candidate, Expiry } from "./expired.ts";
import { readLifecyclePolicy } from "./policy.ts";

const IMAGES_PER_READ = 1_000;
/** Other writers get their turn. */
const IMAGES_PER_TRANSACTION = 100;
/** How long a signature, or whatever else is about an image, stays without it. */
const ORPHAN_MS = 24 * 3_600_000;

interface Deps {
  readonly database: Database;
  readonly clock: Clock;
}

/** Removes what the policies of all repositories expire, and of these repositories what is about images that are gone. */
export async function applyLifecyclePolicies(deps: Deps, signal: AbortSignal): Promise<void> {
  for (const repository of await repositoriesWithLifecycle(deps.database)) {
    if (signal.aborted) return;
    await applyLifecyclePolicy(deps, repository);
  }
}

async function applyLifecyclePolicy({ database, clock }: Deps, repository: RepositoryRow): Promise<void> {
  const { lifecycle, repository_id: id } = repository;
  if (lifecycle === null) return;
  const now = clock.now();
  const due = await whatExpires(database, id, lifecycle, now);
  for (let from = 0; from < due.length; from += IMAGES_PER_TRANSACTION)
    await database.tx(async (tx) => {
      for (const { image } of due.slice(from, from + IMAGES_PER_TRANSACTION)) {
        // Tags may have been moved since the images were looked at, and another policy put.
        const tags = await tagsOfImage(tx, id, image.digest);
        const isStillSo = (await getRepositoryById(tx, id))?.lifecycle === lifecycle;
        if (isStillSo && tags.join(" ") === image.tags.join(" "))
          await removeImage(tx, id, image.digest, now);
      }
    });
  await database.tx(async (tx) => {
    for (const digest of await orphanedArtifacts(tx, id, now - ORPHAN_MS))
      await removeImage(tx, id, digest, now);
    await setEvaluated(tx, id, lifecycle, now);
  });
}

/** What a policy would expire of a repository. */
export async function whatExpires(
  reader: Reader,
  repositoryId: number,
  policy: string,
  now: number,
): Promise<Expiry[]> {
  return expiredImages(readLifecyclePolicy(policy), await candidates(reader, repositoryId), now);
}

async function candidates(reader: Reader, repositoryId: number): Promise<Candidate[]> {
  const inLists = await imagesInLists(reader, repositoryId);
  const found: Candidate[] = [];
  for (let after = ""; ;) {
    const page = await listImages(reader, repositoryId, after, "ANY", IMAGES_PER_READ);
    for (const { digest, pushed_at: pushedAt } of page) {
      const tags = await tagsOfImage(reader, repositoryId, digest);
      found.push({ digest, tags, pushedAt, isInList: inLists.has(digest) });
    }
    if (page.length < IMAGES_PER_READ) return found;
    after = page.at(-1)?.digest ?? "";
  }
}
