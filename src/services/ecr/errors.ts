/** ECR's errors, in its words. */
import { AwsError } from "../../aws/errors.ts";

interface RepositoryId {
  readonly account: string;
  readonly name: string;
}

const within = ({ account, name }: RepositoryId) =>
  `the repository with name '${name}' in the registry with id '${account}'`;

/** @param member As the API spells it, with a capital. */
export function invalidParameter(member: string, constraint: string): AwsError {
  return new AwsError(
    "InvalidParameterException",
    `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  );
}

export function noSuchRepository({ account, name }: RepositoryId): AwsError {
  return new AwsError(
    "RepositoryNotFoundException",
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  );
}

export function noSuchImage(
  repository: RepositoryId,
  { imageDigest, imageTag }: { imageDigest?: string | undefined; imageTag?: string | undefined },
): AwsError {
  return new AwsError(
    "ImageNotFoundException",
    `The image with imageId {imageDigest:'${imageDigest ?? null}', imageTag:'${imageTag ?? null}'} does not exist within ${within(repository)}`,
  );
}

export function noSuchUpload(repository: RepositoryId, uploadId: string): AwsError {
  return new AwsError(
    "UploadNotFoundException",
    `An upload with id '${uploadId}' was not found in ${within(repository)}`,
  );
}

export function noSuchLayers(repository: RepositoryId, digests: readonly string[]): AwsError {
  return new AwsError(
    "LayersNotFoundException",
    `Layers with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${repository.name}' in the registry with id '${repository.account}' do not exist`,
  );
}

export function noLifecyclePolicy(repository: RepositoryId): AwsError {
  return new AwsError(
    "LifecyclePolicyNotFoundException",
    `Lifecycle policy does not exist for ${within(repository)}`,
  );
}

export function noRepositoryPolicy(repository: RepositoryId): AwsError {
  return new AwsError(
    "RepositoryPolicyNotFoundException",
    `Repository policy does not exist for ${within(repository)}`,
  );
}
