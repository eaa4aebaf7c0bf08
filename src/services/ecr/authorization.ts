/** What ECR's requests need of the caller's policies, and what repositories' own policies grant. */
import { authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Client, Ecr } from "./deps.ts";
import { whatPolicySays } from "./lookup.ts";
import type { Named } from "./lookup.ts";
import { readRepositoryArn, repositoryArn } from "./names.ts";
import { getRepository } from "./store.ts";
import type { RepositoryRow } from "./store.ts";

/** The repository that a request names. */
function onRepository({ registryId, repositoryName = "" }: Named, context: RequestContext): Requirement[] {
  const { account, region, operation } = context;
  const resource = repositoryArn({ account: registryId ?? account, region, name: repositoryName });
  return [{ action: `ecr:${operation}`, resource }];
}

const onRegistry = (_input: object, { operation }: RequestContext): Requirement[] => [
  { action: `ecr:${operation}`, resource: "*" },
];

function onArn(
  arn: string | undefined,
  { operation }: RequestContext,
  conditions: ConditionValues,
): Requirement[] {
  // In one form always, since policies compare text.
  const resource = repositoryArn(readRepositoryArn(arn ?? ""));
  return [{ action: `ecr:${operation}`, resource, conditions }];
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html */
const byOperation = authorizationFrom<Client>({
  BatchCheckLayerAvailability: onRepository,
  BatchDeleteImage: onRepository,
  BatchGetImage: onRepository,
  CompleteLayerUpload: onRepository,
  CreateRepository: (input, context) => {
    const [own] = onRepository(input, context);
    const conditions = tagConditions(input.tags);
    if (!own) return [];
    const tagging = { action: "ecr:TagResource", resource: own.resource, conditions };
    return [{ ...own, conditions }, ...(input.tags?.length ? [tagging] : [])];
  },
  DeleteLifecyclePolicy: onRepository,
  DeleteRepository: onRepository,
  DeleteRepositoryPolicy: onRepository,
  DescribeImages: onRepository,
  DescribeRegistry: onRegistry,
  DescribeRepositories: ({ registryId, repositoryNames = ["*"] }, context) =>
    repositoryNames.flatMap((repositoryName) => onRepository({ registryId, repositoryName }, context)),
  GetAccountSetting: onRegistry,
  GetAuthorizationToken: onRegistry,
  GetDownloadUrlForLayer: onRepository,
  GetLifecyclePolicy: onRepository,
  GetLifecyclePolicyPreview: onRepository,
  GetRepositoryPolicy: onRepository,
  InitiateLayerUpload: onRepository,
  ListImageReferrers: onRepository,
  ListImages: onRepository,
  ListTagsForResource: (input, context) => onArn(input.resourceArn, context, {}),
  PutAccountSetting: onRegistry,
  PutImage: onRepository,
  PutImageTagMutability: onRepository,
  PutLifecyclePolicy: onRepository,
  SetRepositoryPolicy: onRepository,
  StartLifecyclePolicyPreview: onRepository,
  TagResource: (input, context) => onArn(input.resourceArn, context, tagConditions(input.tags)),
  UntagResource: (input, context) => onArn(input.resourceArn, context, tagKeyConditions(input.tagKeys)),
  UploadLayerPart: onRepository,
});

export function authorization({
  database,
  policies,
}: Pick<Ecr, "database" | "policies">): ServiceAuthorization {
  const repositoryOf = async (resource: string): Promise<RepositoryRow | undefined> =>
    resource === "*" ? undefined : getRepository(database, readRepositoryArn(resource));
  return {
    operations: byOperation.operations,
    async requirements(operation, input, context) {
      const plain = await byOperation.requirements(operation, input, context);
      return Promise.all(plain.map(async (one) => withResourceTags(one, await repositoryOf(one.resource))));
    },
    async resourceGrant({ action, resource, conditions }, context) {
      const repository = await repositoryOf(resource);
      const said =
        repository && (await whatPolicySays({ policies }, repository, action, context, conditions));
      return said === "principal" || said === "role" ? said : "none";
    },
  };
}

/** What an action on a repository needs, the repository's tags told. */
export function requirementOn(repository: RepositoryRow, action: string, alternative?: string): Requirement {
  const plain = {
    action,
    resource: repositoryArn(repository),
    ...(alternative !== undefined && { alternative }),
  };
  return withResourceTags(plain, repository);
}

function withResourceTags(requirement: Requirement, repository: RepositoryRow | undefined): Requirement {
  if (!repository) return requirement;
  const tags = Object.entries(JSON.parse(repository.tags) as Record<string, string>);
  const keys = tags.flatMap(([key, value]) => [
    [`aws:resourcetag/${key.toLowerCase()}`, value],
    [`ecr:resourcetag/${key.toLowerCase()}`, value],
  ]);
  return { ...requirement, conditions: { ...Object.fromEntries(keys), ...requirement.conditions } };
}
