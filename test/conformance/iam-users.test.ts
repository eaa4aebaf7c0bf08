/** IAM users, their policies and access keys. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserPoliciesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from "@aws-sdk/client-iam";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let iam: IAMClient;
before(async () => {
  server = await startServer();
  iam = new IAMClient(server.client());
});
after(async () => {
  iam.destroy();
  await server.stop();
});

const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";
const DOCUMENT = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
});
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });

test("CreateUser, GetUser, ListUsers and UpdateUser", async () => {
  const { User } = await iam.send(new CreateUserCommand({ UserName: "ann", Path: "/staff/" }));
  assert.equal(User?.Arn, "arn:aws:iam::000000000000:user/staff/ann");
  assert.match(User?.UserId ?? "", /^AIDA[A-Z2-7]{17}$/);
  await fails(
    iam.send(new CreateUserCommand({ UserName: "Ann" })),
    "EntityAlreadyExistsException",
    "User with name Ann already exists.",
  );
  await iam.send(new UpdateUserCommand({ UserName: "ann", NewUserName: "anna", NewPath: "/" }));
  const got = await iam.send(new GetUserCommand({ UserName: "anna" }));
  assert.equal(got.User?.UserId, User?.UserId);
  assert.equal(got.User?.Arn, "arn:aws:iam::000000000000:user/anna");
  const listed = await iam.send(new ListUsersCommand({}));
  assert.ok(listed.Users?.some((user) => user.UserName === "anna"));
  await fails(
    iam.send(new GetUserCommand({ UserName: "ann" })),
    "NoSuchEntityException",
    "The user with name ann cannot be found.",
  );
});

test("GetUser without a name answers the account's root", async () => {
  const { User } = await iam.send(new GetUserCommand({}));
  assert.equal(User?.Arn, "arn:aws:iam::000000000000:root");
  assert.equal(User?.UserId, "000000000000");
});

test("CreateAccessKey, ListAccessKeys, UpdateAccessKey and DeleteAccessKey", async () => {
  await iam.send(new CreateUserCommand({ UserName: "keys" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
  assert.match(AccessKey?.AccessKeyId ?? "", /^AKIA[A-Z2-7]{16}$/);
  assert.equal(AccessKey?.SecretAccessKey?.length, 40);
  await iam.send(new CreateAccessKeyCommand({ UserName: "keys" }));
  await fails(
    iam.send(new CreateAccessKeyCommand({ UserName: "keys" })),
    "LimitExceededException",
    "Cannot exceed quota for AccessKeysPerUser: 2",
  );
  const AccessKeyId = AccessKey?.AccessKeyId;
  await iam.send(new UpdateAccessKeyCommand({ UserName: "keys", AccessKeyId, Status: "Inactive" }));
  const listed = await iam.send(new ListAccessKeysCommand({ UserName: "keys" }));
  assert.equal(listed.AccessKeyMetadata?.length, 2);
  assert.equal(listed.AccessKeyMetadata?.find((key) => key.AccessKeyId === AccessKeyId)?.Status, "Inactive");
  await fails(
    iam.send(new DeleteUserCommand({ UserName: "keys" })),
    "DeleteConflictException",
    "Cannot delete entity, must delete access keys first.",
  );
  await iam.send(new DeleteAccessKeyCommand({ UserName: "keys", AccessKeyId }));
  await fails(
    iam.send(new DeleteAccessKeyCommand({ UserName: "keys", AccessKeyId })),
    "NoSuchEntityException",
    `The Access Key with id ${AccessKeyId} cannot be found.`,
  );
});

test("GetUser without a name answers the user whose key it is", async () => {
  await iam.send(new CreateUserCommand({ UserName: "self" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "self" }));
  const PolicyDocument = DOCUMENT.replace("s3:*", "iam:GetUser");
  await iam.send(new PutUserPolicyCommand({ UserName: "self", PolicyName: "self", PolicyDocument }));
  const own = new IAMClient({
    ...server.client(),
    credentials: {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    },
  });
  assert.equal((await own.send(new GetUserCommand({}))).User?.UserName, "self");
  own.destroy();
});

test("PutUserPolicy, GetUserPolicy, ListUserPolicies and DeleteUserPolicy", async () => {
  await iam.send(new CreateUserCommand({ UserName: "inline" }));
  const named = { UserName: "inline", PolicyName: "p" };
  await iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: DOCUMENT }));
  const got = await iam.send(new GetUserPolicyCommand(named));
  assert.equal(decodeURIComponent(got.PolicyDocument ?? ""), DOCUMENT);
  assert.deepEqual((await iam.send(new ListUserPoliciesCommand({ UserName: "inline" }))).PolicyNames, ["p"]);
  await iam.send(new DeleteUserPolicyCommand(named));
  await fails(
    iam.send(new DeleteUserPolicyCommand(named)),
    "NoSuchEntityException",
    "The user policy with name p cannot be found.",
  );
});

test("AttachUserPolicy, ListAttachedUserPolicies, DetachUserPolicy, ListGroupsForUser and DeleteUser", async () => {
  await iam.send(new CreateUserCommand({ UserName: "attached" }));
  await iam.send(new AttachUserPolicyCommand({ UserName: "attached", PolicyArn: ADMIN }));
  const listed = await iam.send(new ListAttachedUserPoliciesCommand({ UserName: "attached" }));
  assert.deepEqual(listed.AttachedPolicies, [{ PolicyName: "AdministratorAccess", PolicyArn: ADMIN }]);
  await fails(
    iam.send(new DeleteUserCommand({ UserName: "attached" })),
    "DeleteConflictException",
    "Cannot delete entity, must detach all policies first.",
  );
  await iam.send(new DetachUserPolicyCommand({ UserName: "attached", PolicyArn: ADMIN }));
  assert.deepEqual((await iam.send(new ListGroupsForUserCommand({ UserName: "attached" }))).Groups, []);
  await iam.send(new DeleteUserCommand({ UserName: "attached" }));
});

test("PutUserPermissionsBoundary and DeleteUserPermissionsBoundary", async () => {
  await iam.send(new CreateUserCommand({ UserName: "bounded" }));
  await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "bounded", PermissionsBoundary: ADMIN }));
  const { User } = await iam.send(new GetUserCommand({ UserName: "bounded" }));
  assert.equal(User?.PermissionsBoundary?.PermissionsBoundaryArn, ADMIN);
  await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: "bounded" }));
  const free = await iam.send(new GetUserCommand({ UserName: "bounded" }));
  assert.equal(free.User?.PermissionsBoundary, undefined);
});

test("TagUser, UntagUser and ListUserTags", async () => {
  await iam.send(new CreateUserCommand({ UserName: "tagged" }));
  await iam.send(new TagUserCommand({ UserName: "tagged", Tags: [{ Key: "k", Value: "" }] }));
  assert.deepEqual((await iam.send(new ListUserTagsCommand({ UserName: "tagged" }))).Tags, [
    { Key: "k", Value: "" },
  ]);
  await iam.send(new UntagUserCommand({ UserName: "tagged", TagKeys: ["K"] }));
  assert.deepEqual((await iam.send(new ListUserTagsCommand({ UserName: "tagged" }))).Tags, []);
});

test("an operation that is not built is refused by name", async () => {
  await fails(iam.send(new CreateGroupCommand({ GroupName: "g" })), "NotImplemented", /iam.*CreateGroup/i);
});
