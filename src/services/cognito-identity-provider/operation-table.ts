/** The operations of user pools. Federation, devices, passkeys, imports, branding and threat protection are not there. */
import type { OperationTable } from "../../aws/service.ts";
import type { Client, UserPools } from "./deps.ts";
import { adminCreateUser } from "./operations/admin-create-user.ts";
import {
  adminDeleteUser,
  adminDeleteUserAttributes,
  adminDisableUser,
  adminEnableUser,
  adminGetUser,
  adminGetUserAuthFactors,
  adminUpdateUserAttributes,
  listUsers,
} from "./operations/admin-users.ts";
import {
  addUserPoolClientSecret,
  deleteUserPoolClientSecret,
  listUserPoolClientSecrets,
} from "./operations/client-secrets.ts";
import {
  createUserPoolClient,
  deleteUserPoolClient,
  describeUserPoolClient,
  listUserPoolClients,
  updateUserPoolClient,
} from "./operations/clients.ts";
import {
  adminAddUserToGroup,
  adminListGroupsForUser,
  adminRemoveUserFromGroup,
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  listUsersInGroup,
  updateGroup,
} from "./operations/groups.ts";
import {
  adminDeleteSoftwareToken,
  adminSetUserMfaPreference,
  associateSoftwareToken,
  setUserMfaPreference,
  verifySoftwareToken,
} from "./operations/mfa.ts";
import {
  adminResetUserPassword,
  adminSetUserPassword,
  changePassword,
  confirmForgotPassword,
  forgotPassword,
} from "./operations/passwords.ts";
import { getUserPoolMfaConfig, setUserPoolMfaConfig } from "./operations/pool-mfa.ts";
import {
  addCustomAttributes,
  createUserPool,
  deleteUserPool,
  describeUserPool,
  listUserPools,
  updateUserPool,
} from "./operations/pools.ts";
import { createUserPoolDomain, deleteUserPoolDomain, describeUserPoolDomain } from "./operations/domains.ts";
import {
  createResourceServer,
  deleteResourceServer,
  describeResourceServer,
  listResourceServers,
  updateResourceServer,
} from "./operations/resource-servers.ts";
import {
  deleteUser,
  deleteUserAttributes,
  getUser,
  getUserAttributeVerificationCode,
  getUserAuthFactors,
  updateUserAttributes,
  verifyUserAttribute,
} from "./operations/self.ts";
import {
  adminInitiateAuth,
  adminRespondToAuthChallenge,
  initiateAuth,
  respondToAuthChallenge,
} from "./operations/sign-in.ts";
import { adminConfirmSignUp, confirmSignUp, resendConfirmationCode, signUp } from "./operations/sign-up.ts";
import { listTagsForResource, tagResource, untagResource } from "./operations/tags.ts";
import {
  adminUserGlobalSignOut,
  getTokensFromRefreshToken,
  globalSignOut,
  revokeToken,
} from "./operations/tokens.ts";

export const operationTable: OperationTable<Client, UserPools> = {
  AddCustomAttributes: addCustomAttributes,
  AddUserPoolClientSecret: addUserPoolClientSecret,
  AdminAddUserToGroup: adminAddUserToGroup,
  AdminConfirmSignUp: adminConfirmSignUp,
  AdminCreateUser: adminCreateUser,
  AdminDeleteSoftwareToken: adminDeleteSoftwareToken,
  AdminDeleteUser: adminDeleteUser,
  AdminDeleteUserAttributes: adminDeleteUserAttributes,
  AdminDisableUser: adminDisableUser,
  AdminEnableUser: adminEnableUser,
  AdminGetUser: adminGetUser,
  AdminGetUserAuthFactors: adminGetUserAuthFactors,
  AdminInitiateAuth: adminInitiateAuth,
  AdminListGroupsForUser: adminListGroupsForUser,
  AdminRemoveUserFromGroup: adminRemoveUserFromGroup,
  AdminResetUserPassword: adminResetUserPassword,
  AdminRespondToAuthChallenge: adminRespondToAuthChallenge,
  AdminSetUserMFAPreference: adminSetUserMfaPreference,
  AdminSetUserPassword: adminSetUserPassword,
  AdminUpdateUserAttributes: adminUpdateUserAttributes,
  AdminUserGlobalSignOut: adminUserGlobalSignOut,
  AssociateSoftwareToken: associateSoftwareToken,
  ChangePassword: changePassword,
  ConfirmForgotPassword: confirmForgotPassword,
  ConfirmSignUp: confirmSignUp,
  CreateGroup: createGroup,
  CreateResourceServer: createResourceServer,
  CreateUserPool: createUserPool,
  CreateUserPoolClient: createUserPoolClient,
  CreateUserPoolDomain: createUserPoolDomain,
  DeleteGroup: deleteGroup,
  DeleteResourceServer: deleteResourceServer,
  DeleteUser: deleteUser,
  DeleteUserAttributes: deleteUserAttributes,
  DeleteUserPool: deleteUserPool,
  DeleteUserPoolClient: deleteUserPoolClient,
  DeleteUserPoolClientSecret: deleteUserPoolClientSecret,
  DeleteUserPoolDomain: deleteUserPoolDomain,
  DescribeResourceServer: describeResourceServer,
  DescribeUserPool: describeUserPool,
  DescribeUserPoolClient: describeUserPoolClient,
  DescribeUserPoolDomain: describeUserPoolDomain,
  ForgotPassword: forgotPassword,
  GetGroup: getGroup,
  GetTokensFromRefreshToken: getTokensFromRefreshToken,
  GetUser: getUser,
  GetUserAttributeVerificationCode: getUserAttributeVerificationCode,
  GetUserAuthFactors: getUserAuthFactors,
  GetUserPoolMfaConfig: getUserPoolMfaConfig,
  GlobalSignOut: globalSignOut,
  InitiateAuth: initiateAuth,
  ListGroups: listGroups,
  ListResourceServers: listResourceServers,
  ListTagsForResource: listTagsForResource,
  ListUserPoolClientSecrets: listUserPoolClientSecrets,
  ListUserPoolClients: listUserPoolClients,
  ListUserPools: listUserPools,
  ListUsers: listUsers,
  ListUsersInGroup: listUsersInGroup,
  ResendConfirmationCode: resendConfirmationCode,
  RespondToAuthChallenge: respondToAuthChallenge,
  RevokeToken: revokeToken,
  SetUserMFAPreference: setUserMfaPreference,
  SetUserPoolMfaConfig: setUserPoolMfaConfig,
  SignUp: signUp,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateGroup: updateGroup,
  UpdateResourceServer: updateResourceServer,
  UpdateUserAttributes: updateUserAttributes,
  UpdateUserPool: updateUserPool,
  UpdateUserPoolClient: updateUserPoolClient,
  VerifySoftwareToken: verifySoftwareToken,
  VerifyUserAttribute: verifyUserAttribute,
};
