/** The errors of user pools, in AWS's words. */
import { AwsError } from "../../aws/errors.ts";

export const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);
export const notAuthorized = (message: string) => new AwsError("NotAuthorizedException", message);
export const notFound = (message: string) => new AwsError("ResourceNotFoundException", message);
export const limitExceeded = (message: string) => new AwsError("LimitExceededException", message);

export const wrongCredentials = () => notAuthorized("Incorrect username or password.");
export const userNotFound = () => new AwsError("UserNotFoundException", "User does not exist.");
export const userNotConfirmed = () => new AwsError("UserNotConfirmedException", "User is not confirmed.");
export const resetRequired = () =>
  new AwsError("PasswordResetRequiredException", "Password reset required for the user");
export const tooManyAttempts = () => limitExceeded("Attempt limit exceeded, please try after some time.");
export const codeMismatch = () =>
  new AwsError("CodeMismatchException", "Invalid verification code provided, please try again.");
export const codeExpired = () =>
  new AwsError("ExpiredCodeException", "Invalid code provided, please request a code again.");
export const usernameExists = (message = "User already exists") =>
  new AwsError("UsernameExistsException", message);
export const aliasExists = (attribute: string) =>
  new AwsError("AliasExistsException", `An account with the given ${attribute} already exists.`);
export const invalidPassword = (message: string) => new AwsError("InvalidPasswordException", message);
export const invalidSession = () => notAuthorized("Invalid session for the user.");
export const expiredSession = () => notAuthorized("Invalid session for the user, session is expired.");
