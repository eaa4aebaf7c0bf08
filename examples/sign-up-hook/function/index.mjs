/** Lets colleagues sign up, and nobody else; words their message; tells tokens who is staff. */
const DOMAIN = "@example.com";

export async function handler(event) {
  const { email } = event.request.userAttributes;
  switch (event.triggerSource) {
    case "PreSignUp_SignUp":
      if (!email.endsWith(DOMAIN)) throw new Error(`only addresses of ${DOMAIN} may sign up`);
      return event;
    case "CustomMessage_SignUp":
      event.response.emailSubject = "Welcome";
      event.response.emailMessage = `Welcome, ${email}. Your code is ${event.request.codeParameter}.`;
      return event;
    case "TokenGeneration_Authentication":
      event.response.claimsOverrideDetails = { claimsToAddOrOverride: { staff: "true" } };
      return event;
    default:
      return event;
  }
}
